/* scripted-connection: one client of the scripted server, from its upgrade to its end
 *
 * Everything here runs in the server's thread.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "scripted-server-private.h"

#include <math.h>
#include <string.h>
#include <sys/socket.h>

#include "gate-stream.h"

#define MAX_FRAME_SIZE (1024 * 1024)
#define REPEAT_REST 100
#define VOICE_WAIT 250
#define END_OF_AUDIO "END_OF_AUDIO"

typedef enum
{
  FORMAT_FLOAT32,
  FORMAT_INT16,
  FORMAT_UINT8,
} Format;

struct _Connection
{
  ScriptedServer *server;
  SoupWebsocketConnection *websocket;   /* NULL once it is gone */
  GateStream *gate;
  GSocket *socket;

  gchar *handshake, *uid;
  Format format;
  gint64 start;                 /* monotonic time of SERVER_READY */
  gboolean loaded, ready, closing, end_of_audio;
  gushort close_code;
  GQueue early;                 /* of GBytes: came while the model was loading */
  guint early_frames;
  GArray *frame_sizes;

  Transcriber *transcriber;
  gchar *heard;                 /* after the end, when the transcriber is gone */
  TranscriberStats stats;
  gboolean idle;                /* no pass: a frame starts one */
  guint n_messages;             /* with segments */
  GSource *timer, *pong_timer;
};

static void next_pass (Connection * self);

static void
stop_timer (Connection * self)
{
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
start_timer (Connection * self, guint delay, GSourceFunc func)
{
  stop_timer (self);
  self->timer = g_timeout_source_new (delay);
  g_source_set_callback (self->timer, func, self, NULL);
  g_source_attach (self->timer, self->server->context);
}

static gboolean
is_open (const Connection * self)
{
  return self->websocket != NULL && !self->closing &&
      soup_websocket_connection_get_state (self->websocket) ==
      SOUP_WEBSOCKET_STATE_OPEN;
}

/* --- out --- */

static void
send_json (Connection * self, const gchar * json)
{
  if (is_open (self))
    soup_websocket_connection_send_text (self->websocket, json);
}

static JsonBuilder *
begin_message (Connection * self)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "uid");
  json_builder_add_string_value (builder, self->uid);
  return builder;
}

static void
end_message (Connection * self, JsonBuilder * builder)
{
  g_autofree gchar *json = NULL;

  json_builder_end_object (builder);
  json = transcriber_json (builder);
  send_json (self, json);
}

static void
add_string (JsonBuilder * builder, const gchar * name, const gchar * value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
send_status (Connection * self, const gchar * status, const gchar * text)
{
  g_autoptr (JsonBuilder) builder = begin_message (self);

  add_string (builder, "status", status);
  add_string (builder, "message", text);
  end_message (self, builder);
}

void
connection_send_text (Connection * self, const gchar * text)
{
  g_auto (GStrv) parts = g_strsplit (text, "$UID", -1);
  g_autofree gchar *full =
      g_strjoinv (self->uid != NULL ? self->uid : "", parts);

  send_json (self, full);
}

void
connection_send_binary (Connection * self, GBytes * data)
{
  if (is_open (self))
    soup_websocket_connection_send_message (self->websocket,
        SOUP_WEBSOCKET_DATA_BINARY, data);
}

/* --- the end --- */

static void
stop_pings (Connection * self)
{
  if (self->pong_timer != NULL)
    g_source_destroy (self->pong_timer);
  g_clear_pointer (&self->pong_timer, g_source_unref);
}

static void
finish (Connection * self)
{
  stop_timer (self);
  stop_pings (self);
  scripted_server_forget (self->server, self);
  self->closing = TRUE;
  self->close_code = soup_websocket_connection_get_close_code (self->websocket);
  if (self->transcriber != NULL) {
    self->heard = transcriber_heard (self->transcriber);
    self->stats = *transcriber_stats (self->transcriber);
    g_clear_pointer (&self->transcriber, transcriber_free);
  }
  g_signal_handlers_disconnect_by_data (self->websocket, self);
  g_clear_object (&self->websocket);
  g_clear_object (&self->gate);
  g_clear_object (&self->socket);
  if (self->close_code != 0)
    scripted_server_note (self->server, SCRIPTED_CLOSE_FRAMES, 1);
  scripted_server_note (self->server, SCRIPTED_LIVE, -1);
  scripted_server_note (self->server, SCRIPTED_CLOSED, 1);
}

static void
on_closed (SoupWebsocketConnection * websocket, gpointer user_data)
{
  finish (user_data);
}

void
connection_drop (Connection * self)
{
  if (self->websocket == NULL)
    return;
  /* dispose closes the stream without a closing frame; nobody hears "closed" then */
  g_object_run_dispose (G_OBJECT (self->websocket));
  finish (self);
}

void
connection_close (Connection * self, gint code)
{
  if (!is_open (self))
    return;
  if (code == SCRIPTED_RESET) {
    struct linger linger = { 1, 0 };

    setsockopt (g_socket_get_fd (self->socket), SOL_SOCKET, SO_LINGER, &linger,
        sizeof (linger));
    connection_drop (self);
    return;
  }
  stop_timer (self);
  soup_websocket_connection_close (self->websocket, code, NULL);
  self->closing = TRUE;
}

/* --- passes: one after the other, each over all that is pending --- */

static gboolean
on_rested (gpointer user_data)
{
  Connection *self = user_data;

  stop_timer (self);
  next_pass (self);
  return G_SOURCE_REMOVE;
}

void
connection_pass_ended (Connection * self)
{
  const ScriptedScript *script = &self->server->script;
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func (g_free);
  TranscriberOutcome outcome;
  guint i;

  if (!is_open (self))
    return;
  if (!script->transcribe) {
    /* stuck in the lock; connection_update() goes on from here */
    self->idle = TRUE;
    return;
  }
  outcome = transcriber_end_pass (self->transcriber, messages);
  for (i = 0; i < messages->len; i++) {
    scripted_server_note (self->server, SCRIPTED_MESSAGES, 1);
    send_json (self, g_ptr_array_index (messages, i));
  }
  self->n_messages += messages->len;
  scripted_server_note (self->server, SCRIPTED_PASSES, 1);
  if (script->close_after_messages > 0 &&
      self->n_messages >= script->close_after_messages) {
    connection_close (self, script->close_code);
    return;
  }
  if (outcome == TRANSCRIBER_REPEATED) {
    start_timer (self, REPEAT_REST, on_rested);
  } else if (outcome == TRANSCRIBER_HEARD) {
    next_pass (self);
  } else {
    /* a frame ends this wait; what came during the pass does not */
    self->idle = TRUE;
    start_timer (self, VOICE_WAIT, on_rested);
  }
}

static void
next_pass (Connection * self)
{
  const ScriptedScript *script = &self->server->script;
  gdouble seconds =
      script->transcribe ? transcriber_begin_pass (self->transcriber) : 0;

  self->idle = seconds == 0;
  if (self->idle)
    return;
  stop_timer (self);
  scripted_server_note (self->server, SCRIPTED_PASSES_BEGUN, 1);
  scripted_server_pass (self->server, self, seconds);
}

/* --- audio --- */

static gboolean
decode (Connection * self, GBytes * frame, GArray * samples)
{
  static const guint sizes[] = { 4, 2, 1 };
  gsize size, i;
  const guint8 *data = g_bytes_get_data (frame, &size);
  gsize n = size / sizes[self->format];

  if (size % sizes[self->format] != 0)
    return FALSE;
  g_array_set_size (samples, n);
  for (i = 0; i < n; i++) {
    gfloat *sample = &g_array_index (samples, gfloat, i);
    gint16 pcm;

    if (self->format == FORMAT_FLOAT32) {
      memcpy (sample, data + 4 * i, 4);
    } else if (self->format == FORMAT_INT16) {
      memcpy (&pcm, data + 2 * i, 2);
      *sample = GINT16_FROM_LE (pcm) / 32768.0f;
    } else {
      *sample = (data[i] - 128.0f) / 128.0f;
    }
  }
  return TRUE;
}

static gboolean
is_overtime (Connection * self)
{
  gint64 age = (g_get_monotonic_time () - self->start) / 1000;
  g_autoptr (JsonBuilder) builder = NULL;

  if (age < self->server->script.max_connection_time)
    return FALSE;
  builder = begin_message (self);
  add_string (builder, "message", "DISCONNECT");
  end_message (self, builder);
  return TRUE;
}

static void
take_frame (Connection * self, GBytes * frame)
{
  const ScriptedScript *script = &self->server->script;
  g_autoptr (GArray) samples = g_array_new (FALSE, FALSE, sizeof (gfloat));
  guint size = g_bytes_get_size (frame);

  if (size == strlen (END_OF_AUDIO)
      && memcmp (g_bytes_get_data (frame, NULL), END_OF_AUDIO, size) == 0) {
    self->end_of_audio = TRUE;
    scripted_server_note (self->server, SCRIPTED_END_OF_AUDIO, 1);
    connection_close (self, SOUP_WEBSOCKET_CLOSE_NORMAL);
    return;
  }
  if (!decode (self, frame, samples)) {
    connection_close (self, SOUP_WEBSOCKET_CLOSE_NORMAL);
    return;
  }
  g_array_append_val (self->frame_sizes, size);
  transcriber_add_frames (self->transcriber, (const gfloat *) samples->data,
      samples->len);
  scripted_server_note (self->server, SCRIPTED_FRAMES, 1);
  scripted_server_note (self->server, SCRIPTED_SAMPLES, samples->len);

  if (script->close_after_samples > 0 &&
      transcriber_stats (self->transcriber)->samples >=
      script->close_after_samples)
    connection_close (self, script->close_code);
  else if (is_overtime (self))
    connection_close (self, SOUP_WEBSOCKET_CLOSE_NORMAL);
  else if (self->idle)
    next_pass (self);
}

/* --- handshake and loading --- */

static void
get_ready (Connection * self)
{
  g_autoptr (JsonBuilder) builder = NULL;
  GBytes *frame;

  if (!self->loaded || self->ready || self->server->script.hold_ready
      || !is_open (self))
    return;
  self->ready = TRUE;
  self->start = g_get_monotonic_time ();
  builder = begin_message (self);
  add_string (builder, "message", "SERVER_READY");
  add_string (builder, "backend", "faster_whisper");
  /* counted before it can be read at the other end */
  scripted_server_note (self->server, SCRIPTED_READY, 1);
  end_message (self, builder);

  while ((frame = g_queue_pop_head (&self->early)) != NULL) {
    if (is_open (self))
      take_frame (self, frame);
    g_bytes_unref (frame);
  }
}

static gboolean
on_loaded (gpointer user_data)
{
  Connection *self = user_data;
  const ScriptedScript *script = &self->server->script;

  stop_timer (self);
  self->loaded = TRUE;
  if (script->error != NULL) {
    send_status (self, "ERROR", script->error);
    connection_close (self, SOUP_WEBSOCKET_CLOSE_NORMAL);
    return G_SOURCE_REMOVE;
  }
  get_ready (self);
  return G_SOURCE_REMOVE;
}

/* TRUE when WAIT was sent. */
static gboolean
is_full (Connection * self)
{
  ScriptedServer *server = self->server;
  gdouble remaining = INFINITY;
  g_autoptr (JsonBuilder) builder = NULL;
  guint i, clients = 0;

  for (i = 0; i < server->connections->len; i++) {
    const Connection *other = g_ptr_array_index (server->connections, i);
    gdouble age = (g_get_monotonic_time () - other->start) / 1e6;

    if (other->websocket == NULL || !other->ready)
      continue;
    clients++;
    remaining = MIN (remaining, server->script.max_connection_time / 1e3 - age);
  }
  if (!server->script.full && clients < server->script.max_clients)
    return FALSE;

  builder = begin_message (self);
  add_string (builder, "status", "WAIT");
  json_builder_set_member_name (builder, "message");
  if (!isnan (server->script.wait_minutes))
    json_builder_add_double_value (builder, server->script.wait_minutes);
  else
    json_builder_add_double_value (builder,
        isinf (remaining) ? 0 : remaining / 60);
  scripted_server_note (server, SCRIPTED_WAITS, 1);
  end_message (self, builder);
  return TRUE;
}

static gboolean
parse_handshake (Connection * self, JsonParser * parser)
{
  static const gchar *const required[] = { "uid", "language", "task", "model" };
  guint n_required = G_N_ELEMENTS (required) -
      self->server->script.model.own_model;
  JsonNode *root;
  JsonObject *object;
  const gchar *format;
  guint i;

  if (!json_parser_load_from_data (parser, self->handshake, -1, NULL))
    return FALSE;
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return FALSE;
  object = json_node_get_object (root);
  for (i = 0; i < n_required; i++)
    if (!json_object_has_member (object, required[i]))
      return FALSE;
  self->uid =
      g_strdup (json_object_get_string_member_with_default (object, "uid", ""));
  format =
      json_object_get_string_member_with_default (object, "audio_format",
      "float32");
  if (g_str_equal (format, "int16"))
    self->format = FORMAT_INT16;
  else if (g_str_equal (format, "uint8"))
    self->format = FORMAT_UINT8;
  else if (!g_str_equal (format, "float32"))
    return FALSE;
  return TRUE;
}

static void
take_handshake (Connection * self, GBytes * text)
{
  const ScriptedScript *script = &self->server->script;
  g_autoptr (JsonParser) parser = json_parser_new ();
  gboolean good;

  self->handshake =
      g_strndup (g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  good = parse_handshake (self, parser);
  scripted_server_note (self->server, SCRIPTED_HANDSHAKES, 1);
  if (script->close_at_handshake != 0) {
    connection_close (self, script->close_at_handshake);
    return;
  }
  if (!good || is_full (self)) {
    connection_close (self, SOUP_WEBSOCKET_CLOSE_NORMAL);
    return;
  }
  self->transcriber =
      transcriber_new (json_node_get_object (json_parser_get_root (parser)),
      &script->model);
  if (script->warning != NULL)
    send_status (self, "WARNING", script->warning);
  start_timer (self, scripted_server_vary (self->server, script->load_delay),
      on_loaded);
}

static void
on_message (SoupWebsocketConnection * websocket, SoupWebsocketDataType type,
    GBytes * message, gpointer user_data)
{
  Connection *self = user_data;

  if (self->closing)
    return;
  if (self->handshake == NULL) {
    take_handshake (self, message);
  } else if (!self->ready) {
    self->early_frames++;
    g_queue_push_tail (&self->early, g_bytes_ref (message));
  } else if (type == SOUP_WEBSOCKET_DATA_BINARY) {
    take_frame (self, message);
  } else {
    /* np.frombuffer() of a str raises */
    connection_close (self, SOUP_WEBSOCKET_CLOSE_NORMAL);
  }
}

/* --- pings, which libsoup sends --- */

static gboolean
on_no_pong (gpointer user_data)
{
  Connection *self = user_data;

  stop_pings (self);
  connection_close (self, 1011);
  return G_SOURCE_REMOVE;
}

/* One ping after this one, it must have been answered. */
static void
expect_pong (Connection * self)
{
  stop_pings (self);
  self->pong_timer =
      g_timeout_source_new (2100 * self->server->script.ping_timeout);
  g_source_set_callback (self->pong_timer, on_no_pong, self, NULL);
  g_source_attach (self->pong_timer, self->server->context);
}

static void
on_pong (SoupWebsocketConnection * websocket, GBytes * message,
    gpointer user_data)
{
  Connection *self = user_data;

  scripted_server_note (self->server, SCRIPTED_PONGS, 1);
  expect_pong (self);
}

static void
start_pings (Connection * self)
{
  g_signal_connect (self->websocket, "pong", G_CALLBACK (on_pong), self);
  soup_websocket_connection_set_keepalive_interval (self->websocket,
      self->server->script.ping_timeout);
  expect_pong (self);
}

/* --- for the server --- */

Connection *
connection_new (ScriptedServer * server, SoupServerMessage * message)
{
  Connection *self = g_new0 (Connection, 1);
  g_autoptr (GIOStream) stream = NULL;

  self->server = server;
  self->idle = TRUE;
  self->frame_sizes = g_array_new (FALSE, FALSE, sizeof (guint));
  self->socket = g_object_ref (soup_server_message_get_socket (message));
  g_object_ref (message);
  stream = soup_server_message_steal_connection (message);
  self->gate = gate_stream_new (stream);
  gate_stream_set_open (self->gate, server->script.read);
  self->websocket =
      soup_websocket_connection_new (G_IO_STREAM (self->gate),
      soup_server_message_get_uri (message), SOUP_WEBSOCKET_CONNECTION_SERVER,
      NULL, NULL, NULL);
  g_object_unref (message);
  soup_websocket_connection_set_max_incoming_payload_size (self->websocket,
      MAX_FRAME_SIZE);
  g_signal_connect (self->websocket, "message", G_CALLBACK (on_message), self);
  g_signal_connect (self->websocket, "closed", G_CALLBACK (on_closed), self);
  scripted_server_note (server, SCRIPTED_LIVE, 1);
  scripted_server_note (server, SCRIPTED_UPGRADES, 1);
  if (server->script.ping_timeout > 0)
    start_pings (self);
  if (server->script.close_at_upgrade != 0)
    connection_close (self, server->script.close_at_upgrade);
  return self;
}

void
connection_update (Connection * self)
{
  if (self->websocket == NULL)
    return;
  gate_stream_set_open (self->gate, self->server->script.read);
  get_ready (self);
  if (self->ready && self->idle && is_open (self))
    next_pass (self);
}

ScriptedSession *
connection_describe (const Connection * self)
{
  ScriptedSession *session = g_new0 (ScriptedSession, 1);

  session->handshake = g_strdup (self->handshake);
  session->uid = g_strdup (self->uid);
  session->frame_sizes = g_array_copy (self->frame_sizes);
  session->early_frames = self->early_frames;
  session->ready = self->ready;
  session->end_of_audio = self->end_of_audio;
  session->closed = self->websocket == NULL;
  session->close_code = self->close_code;
  if (self->transcriber != NULL) {
    session->heard = transcriber_heard (self->transcriber);
    session->stats = *transcriber_stats (self->transcriber);
  } else {
    session->heard = g_strdup (self->heard);
    session->stats = self->stats;
  }
  return session;
}

void
connection_free (Connection * self)
{
  scripted_server_forget (self->server, self);
  stop_timer (self);
  stop_pings (self);
  g_clear_pointer (&self->transcriber, transcriber_free);
  g_queue_clear_full (&self->early, (GDestroyNotify) g_bytes_unref);
  g_array_unref (self->frame_sizes);
  if (self->websocket != NULL)
    g_signal_handlers_disconnect_by_data (self->websocket, self);
  g_clear_object (&self->websocket);
  g_clear_object (&self->gate);
  g_clear_object (&self->socket);
  g_free (self->handshake);
  g_free (self->uid);
  g_free (self->heard);
  g_free (self);
}
