/* gate-stream: a GIOStream whose reading side can be shut and opened again
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gate-stream.h"

#define GATE_TYPE_INPUT (gate_input_get_type ())
G_DECLARE_FINAL_TYPE (GateInput, gate_input, GATE, INPUT, GInputStream)
     struct _GateInput
     {
       GInputStream parent;
       GInputStream *base;
       gboolean open;
       GSource *waiting;        /* given out while the gate was shut */
     };

     struct _GateStream
     {
       GIOStream parent;
       GIOStream *base;
       GateInput *input;
     };

     static gboolean gate_input_is_readable (GPollableInputStream * pollable)
{
  GateInput *self = GATE_INPUT (pollable);

  return self->open
      &&
      g_pollable_input_stream_is_readable (G_POLLABLE_INPUT_STREAM
      (self->base));
}

static GSource *
gate_input_create_source (GPollableInputStream * pollable,
    GCancellable * cancellable)
{
  GateInput *self = GATE_INPUT (pollable);
  GSource *child, *source;

  if (self->open) {
    child =
        g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM
        (self->base), cancellable);
    source = g_pollable_source_new_full (pollable, child, NULL);
    g_source_unref (child);
    return source;
  }

  source = g_pollable_source_new_full (pollable, NULL, cancellable);
  g_clear_pointer (&self->waiting, g_source_unref);
  self->waiting = g_source_ref (source);
  return source;
}

static gssize
gate_input_read_nonblocking (GPollableInputStream * pollable, void *buffer,
    gsize count, GError ** error)
{
  GateInput *self = GATE_INPUT (pollable);

  if (!self->open) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
        "the gate is shut");
    return -1;
  }
  return
      g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM
      (self->base), buffer, count, NULL, error);
}

static void
gate_input_pollable_init (GPollableInputStreamInterface * iface)
{
  iface->is_readable = gate_input_is_readable;
  iface->create_source = gate_input_create_source;
  iface->read_nonblocking = gate_input_read_nonblocking;
}

/* *INDENT-OFF* */
G_DEFINE_FINAL_TYPE_WITH_CODE (GateInput, gate_input, G_TYPE_INPUT_STREAM,
    G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, gate_input_pollable_init))
/* *INDENT-ON* */

static gssize
gate_input_read (GInputStream * stream, void *buffer, gsize count,
    GCancellable * cancellable, GError ** error)
{
  return g_input_stream_read (GATE_INPUT (stream)->base, buffer, count,
      cancellable, error);
}

static void
gate_input_finalize (GObject * object)
{
  GateInput *self = GATE_INPUT (object);

  g_clear_pointer (&self->waiting, g_source_unref);
  g_clear_object (&self->base);
  G_OBJECT_CLASS (gate_input_parent_class)->finalize (object);
}

static void
gate_input_class_init (GateInputClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = gate_input_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = gate_input_read;
}

static void
gate_input_init (GateInput * self)
{
  self->open = TRUE;
}

G_DEFINE_FINAL_TYPE (GateStream, gate_stream, G_TYPE_IO_STREAM);

static GInputStream *
gate_stream_get_input (GIOStream * stream)
{
  return G_INPUT_STREAM (GATE_STREAM (stream)->input);
}

static GOutputStream *
gate_stream_get_output (GIOStream * stream)
{
  return g_io_stream_get_output_stream (GATE_STREAM (stream)->base);
}

static gboolean
gate_stream_close (GIOStream * stream, GCancellable * cancellable,
    GError ** error)
{
  return g_io_stream_close (GATE_STREAM (stream)->base, cancellable, error);
}

/* GIOStream's own would use a thread, and threads are counted here. */
static void
gate_stream_close_async (GIOStream * stream, int priority,
    GCancellable * cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (stream, cancellable, callback, user_data);

  g_io_stream_close (GATE_STREAM (stream)->base, NULL, NULL);
  g_task_return_boolean (task, TRUE);
}

static gboolean
gate_stream_close_finish (GIOStream * stream, GAsyncResult * result,
    GError ** error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
gate_stream_finalize (GObject * object)
{
  GateStream *self = GATE_STREAM (object);

  /* GIOStream's finalize closes once more */
  G_OBJECT_CLASS (gate_stream_parent_class)->finalize (object);
  /* which has a reference to the input */
  g_clear_pointer (&self->input->waiting, g_source_unref);
  g_clear_object (&self->input);
  g_clear_object (&self->base);
}

static void
gate_stream_class_init (GateStreamClass * klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gate_stream_finalize;
  stream_class->get_input_stream = gate_stream_get_input;
  stream_class->get_output_stream = gate_stream_get_output;
  stream_class->close_fn = gate_stream_close;
  stream_class->close_async = gate_stream_close_async;
  stream_class->close_finish = gate_stream_close_finish;
}

static void
gate_stream_init (GateStream * self)
{
}

GateStream *
gate_stream_new (GIOStream * base)
{
  GateStream *self = g_object_new (GATE_TYPE_STREAM, NULL);

  self->base = g_object_ref (base);
  self->input = g_object_new (GATE_TYPE_INPUT, NULL);
  self->input->base = g_object_ref (g_io_stream_get_input_stream (base));
  return self;
}

/* A source that waits in poll already fires once more, finds the gate shut and is replaced. */
void
gate_stream_set_open (GateStream * self, gboolean open)
{
  self->input->open = open;
  if (!open || self->input->waiting == NULL)
    return;
  g_source_set_ready_time (self->input->waiting, 0);
  g_clear_pointer (&self->input->waiting, g_source_unref);
}
