/* scripted-server: a WhisperLive server on a real loopback socket, in a thread of its own
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "scripted-server-private.h"

#include <gio/gnetworking.h>
#include <math.h>
#include <string.h>

/* Far more than anything here takes on a busy machine */
#define DEADLINE (30 * G_TIME_SPAN_SECOND)
#define BACKLOG 1024
#define SMALL_SEGMENT 536

typedef void (*ServerFunc) (ScriptedServer * server, gpointer data);

typedef struct
{
  ScriptedServer *server;
  ServerFunc func;
  gpointer data;
  gboolean done;
} Call;

static gboolean
run_call (gpointer user_data)
{
  Call *call = user_data;
  ScriptedServer *server = call->server;

  call->func (server, call->data);
  g_mutex_lock (&server->lock);
  call->done = TRUE;
  g_cond_broadcast (&server->cond);
  g_mutex_unlock (&server->lock);
  return G_SOURCE_REMOVE;
}

/* Runs @func in the server's thread, and waits for it. */
static void
in_thread (ScriptedServer * server, ServerFunc func, gpointer data)
{
  Call call = { server, func, data, FALSE };

  g_main_context_invoke (server->context, run_call, &call);
  g_mutex_lock (&server->lock);
  while (!call.done)
    g_cond_wait (&server->cond, &server->lock);
  g_mutex_unlock (&server->lock);
}

void
scripted_server_note (ScriptedServer * server, ScriptedCounter counter,
    gint64 difference)
{
  g_mutex_lock (&server->lock);
  server->counts[counter] += difference;
  g_cond_broadcast (&server->cond);
  g_mutex_unlock (&server->lock);
}

guint64
scripted_server_count (ScriptedServer * server, ScriptedCounter counter)
{
  guint64 count;

  g_mutex_lock (&server->lock);
  count = server->counts[counter];
  g_mutex_unlock (&server->lock);
  return count;
}

static gboolean
wait_for (ScriptedServer * server, ScriptedCounter counter, guint64 least,
    guint64 most)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;
  gboolean reached;

  g_mutex_lock (&server->lock);
  for (;;) {
    reached = server->counts[counter] >= least
        && server->counts[counter] <= most;
    if (reached || !g_cond_wait_until (&server->cond, &server->lock, deadline))
      break;
  }
  g_mutex_unlock (&server->lock);
  return reached;
}

gboolean
scripted_server_wait (ScriptedServer * server, ScriptedCounter counter,
    guint64 at_least)
{
  return wait_for (server, counter, at_least, G_MAXUINT64);
}

gboolean
scripted_server_wait_equal (ScriptedServer * server, ScriptedCounter counter,
    guint64 value)
{
  return wait_for (server, counter, value, value);
}

/* --- the door --- */

static void
copy_header (const gchar * name, const gchar * value, gpointer headers)
{
  soup_message_headers_append (headers, name, value);
}

static void
remember_request (ScriptedServer * server, SoupServerMessage * message)
{
  SoupMessageHeaders *copy =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);

  soup_message_headers_foreach (soup_server_message_get_request_headers
      (message), copy_header, copy);
  g_ptr_array_add (server->requests, copy);
  scripted_server_note (server, SCRIPTED_REQUESTS, 1);
}

static gboolean
authorized (ScriptedServer * server, SoupServerMessage * message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  const gchar *given = soup_message_headers_get_one (headers, "Authorization");
  g_autofree gchar *expected = NULL;

  if (server->script.api_key == NULL)
    return TRUE;
  expected = g_strdup_printf ("Bearer %s", server->script.api_key);
  return g_strcmp0 (given, expected) == 0;
}

static gboolean
let_in (gpointer user_data)
{
  soup_server_message_unpause (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_request (SoupServer * soup, SoupServerMessage * message, const char *path,
    GHashTable * query, gpointer user_data)
{
  ScriptedServer *server = user_data;
  guint status = authorized (server,
      message) ? server->script.http_status : SOUP_STATUS_UNAUTHORIZED;

  remember_request (server, message);
  if (server->script.hold_upgrade) {
    soup_server_message_pause (message);
    g_ptr_array_add (server->held, g_object_ref (message));
  } else if (server->script.upgrade_delay > 0) {
    g_autoptr (GSource) timer =
        g_timeout_source_new (scripted_server_vary (server,
            server->script.upgrade_delay));

    soup_server_message_pause (message);
    g_source_set_callback (timer, let_in, g_object_ref (message),
        g_object_unref);
    g_source_attach (timer, server->context);
  }
  if (status != 0) {
    const gchar *text = soup_status_get_phrase (status);

    soup_server_message_set_status (message, status, NULL);
    soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY,
        text, strlen (text));
    if (SOUP_STATUS_IS_REDIRECTION (status))
      soup_message_headers_replace (soup_server_message_get_response_headers
          (message), "Location", "/elsewhere");
  }
}

static void
on_upgraded (SoupServerMessage * message, gpointer user_data)
{
  ScriptedServer *server = user_data;

  g_ptr_array_add (server->connections, connection_new (server, message));
}

static void
on_request_read (SoupServer * soup, SoupServerMessage * message,
    const char *path, GHashTable * query, gpointer user_data)
{
  GList *extensions = NULL;

  /* no extensions: a WhisperLive behind python's websockets offers deflate, but facts say not to ask for it */
  if (soup_websocket_server_process_handshake (message, NULL, NULL, NULL,
          &extensions))
    g_signal_connect (message, "wrote-informational", G_CALLBACK (on_upgraded),
        user_data);
}

/* Not that of soup_server_listen(), whose queue of ten makes the others of a crowd wait a second for their next SYN */
static GSocket *
make_door (guint port, guint buffer, GError ** error)
{
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string ("127.0.0.1", port);
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  if (!socket || !g_socket_bind (socket, address, TRUE, error))
    return NULL;
  /* who sends in small segments gets a small buffer for them, too */
  if (buffer != 0) {
    g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUF, buffer, NULL);
    g_socket_set_option (socket, IPPROTO_TCP, TCP_MAXSEG, SMALL_SEGMENT, NULL);
  }
  g_socket_set_listen_backlog (socket, BACKLOG);
  return g_socket_listen (socket, error) ? g_steal_pointer (&socket) : NULL;
}

static void
open_door (ScriptedServer * server, gpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = make_door (server->port,
      server->script.socket_buffer, &error);
  g_autoslist (GUri) uris = NULL;

  server->soup = soup_server_new ("server-header", "scripted", NULL);
  soup_server_add_early_handler (server->soup, NULL, on_request, server, NULL);
  soup_server_add_handler (server->soup, NULL, on_request_read, server, NULL);
  if (!socket || !soup_server_listen_socket (server->soup, socket, 0, &error))
    g_error ("scripted server: %s", error->message);
  uris = soup_server_get_uris (server->soup);
  server->port = g_uri_get_port (uris->data);
}

static void
shut_door (ScriptedServer * server, gpointer unused)
{
  guint i;

  for (i = 0; i < server->connections->len; i++)
    connection_drop (g_ptr_array_index (server->connections, i));
  g_ptr_array_set_size (server->held, 0);
  /* whoever is started next has not begun to work */
  if (server->pass != NULL)
    g_source_destroy (server->pass);
  g_clear_pointer (&server->pass, g_source_unref);
  if (server->soup != NULL)
    soup_server_disconnect (server->soup);
  g_clear_object (&server->soup);
}

/* --- the model --- */

guint
scripted_server_vary (ScriptedServer * server, gdouble delay)
{
  gdouble jitter = server->script.jitter;

  return lround (delay * g_rand_double_range (server->rand, 1 - jitter,
          1 + jitter));
}

static void begin_pass (ScriptedServer * server);

static gboolean
on_pass_ended (gpointer user_data)
{
  ScriptedServer *server = user_data;
  Connection *connection = g_steal_pointer (&server->passing);

  g_clear_pointer (&server->pass, g_source_unref);
  if (connection)
    connection_pass_ended (connection);
  begin_pass (server);
  return G_SOURCE_REMOVE;
}

typedef struct
{
  Connection *connection;
  gdouble seconds;
} Pass;

static void
begin_pass (ScriptedServer * server)
{
  const ScriptedScript *script = &server->script;
  Pass *pass;

  if (server->pass || !(pass = g_queue_pop_head (&server->waiting)))
    return;
  server->passing = pass->connection;
  server->pass = g_timeout_source_new (scripted_server_vary (server,
          script->load * (script->pass_base +
              script->pass_factor * pass->seconds)));
  g_source_set_callback (server->pass, on_pass_ended, server, NULL);
  g_source_attach (server->pass, server->context);
  g_free (pass);
}

void
scripted_server_pass (ScriptedServer * server, Connection * connection,
    gdouble seconds)
{
  Pass *pass = g_new (Pass, 1);

  pass->connection = connection;
  pass->seconds = seconds;
  g_queue_push_tail (&server->waiting, pass);
  begin_pass (server);
}

void
scripted_server_forget (ScriptedServer * server, Connection * connection)
{
  GList *l, *next;

  if (server->passing == connection)
    server->passing = NULL;
  for (l = server->waiting.head; l; l = next) {
    next = l->next;
    if (((Pass *) l->data)->connection == connection) {
      g_free (l->data);
      g_queue_delete_link (&server->waiting, l);
    }
  }
}

/* --- the thread --- */

static gpointer
run_server (gpointer user_data)
{
  ScriptedServer *server = user_data;

  g_main_context_push_thread_default (server->context);
  g_main_loop_run (server->loop);
  /* closing streams complete in the context */
  while (g_main_context_iteration (server->context, FALSE));
  g_ptr_array_unref (server->connections);
  while (g_main_context_iteration (server->context, FALSE));
  g_main_context_pop_thread_default (server->context);
  return NULL;
}

static void
set_defaults (ScriptedScript * script)
{
  script->wait_minutes = NAN;
  script->max_clients = 4;
  script->load_delay = 10;
  script->pass_base = 20;
  script->pass_factor = 2;
  script->jitter = 0.3;
  script->transcribe = TRUE;
  script->read = TRUE;
  script->max_connection_time = 600 * 1000;
  script->model.words_per_segment = 5;
  script->model.language = "en";
  script->model.language_probability = 0.96875;
}

guint
scripted_server_seed (void)
{
  const gchar *given = g_getenv ("WHISPERLIVE_SEED");
  guint seed =
      given ? g_ascii_strtoull (given, NULL, 10) : g_random_int () >> 1;

  g_printerr ("scripted server: WHISPERLIVE_SEED=%u\n", seed);
  return seed;
}

ScriptedServer *
scripted_server_new (void)
{
  return scripted_server_new_at (0, scripted_server_seed ());
}

ScriptedServer *
scripted_server_new_at (guint port, guint seed)
{
  ScriptedServer *server = g_new0 (ScriptedServer, 1);

  g_mutex_init (&server->lock);
  g_cond_init (&server->cond);
  server->context = g_main_context_new ();
  server->loop = g_main_loop_new (server->context, FALSE);
  server->connections =
      g_ptr_array_new_with_free_func ((GDestroyNotify) connection_free);
  server->requests = g_ptr_array_new_with_free_func ((GDestroyNotify)
      soup_message_headers_unref);
  server->held = g_ptr_array_new_with_free_func (g_object_unref);
  g_queue_init (&server->waiting);
  server->rand = g_rand_new_with_seed (seed);
  server->port = port;
  set_defaults (&server->script);
  server->script.load = g_rand_double_range (server->rand, 0.5, 2);
  server->thread = g_thread_new ("scripted-server", run_server, server);
  in_thread (server, open_door, NULL);
  server->uri = g_strdup_printf ("ws://127.0.0.1:%u", server->port);
  return server;
}

static void
quit (ScriptedServer * server, gpointer unused)
{
  shut_door (server, NULL);
  g_main_loop_quit (server->loop);
}

void
scripted_server_free (ScriptedServer * server)
{
  scripted_server_thaw (server);
  in_thread (server, quit, NULL);
  g_thread_join (server->thread);
  g_ptr_array_unref (server->requests);
  g_ptr_array_unref (server->held);
  g_queue_clear_full (&server->waiting, g_free);
  g_rand_free (server->rand);
  g_main_loop_unref (server->loop);
  g_main_context_unref (server->context);
  g_mutex_clear (&server->lock);
  g_cond_clear (&server->cond);
  g_free (server->uri);
  g_free (server);
}

guint
scripted_server_port (const ScriptedServer * server)
{
  return server->port;
}

const gchar *
scripted_server_uri (const ScriptedServer * server)
{
  return server->uri;
}

/* --- what tests ask for --- */

static void
get_script (ScriptedServer * server, gpointer script)
{
  *(ScriptedScript *) script = server->script;
}

void
scripted_server_get_script (ScriptedServer * server, ScriptedScript * script)
{
  in_thread (server, get_script, script);
}

static void
set_script (ScriptedServer * server, gpointer script)
{
  guint i;

  server->script = *(ScriptedScript *) script;
  for (i = 0; !server->script.hold_upgrade && i < server->held->len; i++)
    soup_server_message_unpause (g_ptr_array_index (server->held, i));
  if (!server->script.hold_upgrade)
    g_ptr_array_set_size (server->held, 0);
  for (i = 0; i < server->connections->len; i++)
    connection_update (g_ptr_array_index (server->connections, i));
}

void
scripted_server_set_script (ScriptedServer * server,
    const ScriptedScript * script)
{
  in_thread (server, set_script, (gpointer) script);
}

typedef struct
{
  guint index;
  const gchar *name;
  gpointer result;
} Question;

static void
describe (ScriptedServer * server, gpointer data)
{
  Question *question = data;

  if (question->index < server->connections->len)
    question->result =
        connection_describe (g_ptr_array_index (server->connections,
            question->index));
}

ScriptedSession *
scripted_server_session (ScriptedServer * server, guint index)
{
  Question question = { index, NULL, NULL };

  in_thread (server, describe, &question);
  return question.result;
}

void
scripted_session_free (ScriptedSession * session)
{
  g_free (session->handshake);
  g_free (session->uid);
  g_free (session->heard);
  g_array_unref (session->frame_sizes);
  g_free (session);
}

static void
dup_header (ScriptedServer * server, gpointer data)
{
  Question *question = data;

  if (question->index < server->requests->len)
    question->result =
        g_strdup (soup_message_headers_get_list (g_ptr_array_index
            (server->requests, question->index), question->name));
}

gchar *
scripted_server_dup_header (ScriptedServer * server, guint request,
    const gchar * name)
{
  Question question = { request, name, NULL };

  in_thread (server, dup_header, &question);
  return question.result;
}

static void
send_text (ScriptedServer * server, gpointer text)
{
  guint i;

  for (i = 0; i < server->connections->len; i++)
    connection_send_text (g_ptr_array_index (server->connections, i), text);
}

void
scripted_server_send_text (ScriptedServer * server, const gchar * text)
{
  in_thread (server, send_text, (gpointer) text);
}

static void
send_binary (ScriptedServer * server, gpointer data)
{
  guint i;

  for (i = 0; i < server->connections->len; i++)
    connection_send_binary (g_ptr_array_index (server->connections, i), data);
}

void
scripted_server_send_binary (ScriptedServer * server, GBytes * data)
{
  in_thread (server, send_binary, data);
}

static void
close_all (ScriptedServer * server, gpointer code)
{
  guint i;

  for (i = 0; i < server->connections->len; i++)
    connection_close (g_ptr_array_index (server->connections, i),
        GPOINTER_TO_INT (code));
}

void
scripted_server_close (ScriptedServer * server, gint code)
{
  in_thread (server, close_all, GINT_TO_POINTER (code));
}

static gboolean
stand_still (gpointer user_data)
{
  ScriptedServer *server = user_data;

  g_mutex_lock (&server->lock);
  server->frozen = TRUE;
  g_cond_broadcast (&server->cond);
  while (server->frozen)
    g_cond_wait (&server->cond, &server->lock);
  g_mutex_unlock (&server->lock);
  return G_SOURCE_REMOVE;
}

void
scripted_server_freeze (ScriptedServer * server)
{
  g_main_context_invoke (server->context, stand_still, server);
  g_mutex_lock (&server->lock);
  while (!server->frozen)
    g_cond_wait (&server->cond, &server->lock);
  g_mutex_unlock (&server->lock);
}

void
scripted_server_thaw (ScriptedServer * server)
{
  g_mutex_lock (&server->lock);
  server->frozen = FALSE;
  g_cond_broadcast (&server->cond);
  g_mutex_unlock (&server->lock);
}

void
scripted_server_kill (ScriptedServer * server)
{
  in_thread (server, shut_door, NULL);
}

void
scripted_server_start (ScriptedServer * server)
{
  in_thread (server, open_door, NULL);
}

/* --- ports without a server --- */

GSocket *
silent_port_new (guint * port)
{
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) own = NULL;
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, &error);

  /* the kernel accepts into the backlog, and nobody reads it */
  if (socket == NULL || !g_socket_bind (socket, any, TRUE, &error)
      || !g_socket_listen (socket, &error))
    g_error ("silent port: %s", error->message);
  own = g_socket_get_local_address (socket, NULL);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (own));
  return socket;
}

guint
unused_port (void)
{
  guint port;
  g_autoptr (GSocket) socket = silent_port_new (&port);

  g_socket_close (socket, NULL);
  return port;
}
