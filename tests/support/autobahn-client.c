/* autobahn-client: runs Autobahn's cases for WebSocket clients on the connection that the element makes
 *
 * autobahn-client URI: asks the server at URI how many cases it has, runs each, echoing every message, and asks for the report. What
 * ended a connection other than a closing handshake is printed, behind the number of the case. autobahn.py is the server.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The connection itself is needed: the element takes no binary messages. */
#include "whisperlive-websocket.c"

#include <stdlib.h>
#include <string.h>

#define AGENT "whisperlivesink"
/* Each case has its own limits; this is for a server that hangs. */
#define DEADLINE 120            /* s */

typedef struct
{
  WhisperLiveWebsocket *websocket;
  guint number;                 /* of a case; 0: a question, not to be echoed */
  gchar *text;                  /* the last */
  gboolean opened, closed;
} Client;

static void
on_binary (SoupWebsocketConnection * connection, gint type, GBytes * message,
    Client * client)
{
  if (client->number && type == SOUP_WEBSOCKET_DATA_BINARY)
    whisperlive_websocket_send_binary (client->websocket, message);
}

static void
on_socket (gpointer owner, GSocket * socket)
{
}

static void
on_opened (gpointer owner, gint64 elapsed)
{
  Client *client = owner;

  client->opened = TRUE;
  g_signal_connect (client->websocket->connection, "message",
      G_CALLBACK (on_binary), client);
}

static void
on_text (gpointer owner, const gchar * text, gsize length)
{
  Client *client = owner;

  g_free (client->text);
  client->text = g_strndup (text, length);
  if (!client->number)
    return;
  if (memchr (text, 0, length)) {
    /* in no JSON: the element need not send it */
    g_autoptr (GBytes) message = g_bytes_new (text, length);

    soup_websocket_connection_send_message (client->websocket->connection,
        SOUP_WEBSOCKET_DATA_TEXT, message);
  } else {
    whisperlive_websocket_send_text (client->websocket, client->text);
  }
}

static void
on_reading (gpointer owner)
{
}

static void
on_pong_came (gpointer owner, gint64 round_trip)
{
}

static void
on_all_closed (gpointer owner, gushort code, const GError * error)
{
  Client *client = owner;

  client->closed = TRUE;
  if (client->number && error)
    g_print ("%u %s\n", client->number, error->message);
}

static gboolean
on_certificate (gpointer owner, GTlsCertificate * certificate,
    GTlsCertificateFlags errors)
{
  return FALSE;
}

static const WhisperLiveWebsocketEvents events = {
  .socket = on_socket,
  .opened = on_opened,
  .text = on_text,
  .busy = on_reading,
  .pong = on_pong_came,
  .closed = on_all_closed,
  .accept_certificate = on_certificate,
};

static gboolean
on_deadline (gpointer uri)
{
  g_printerr ("%s was not closed within %d s\n", (const gchar *) uri, DEADLINE);
  exit (1);
}

/* One connection, until the server has closed it; its last text, or NULL */
static gchar *
run (const gchar * uri, guint number)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  Client client = {.number = number };
  guint live = 0, timer;

  g_free (settings->uri);
  settings->uri = g_strdup (uri);
  timer = g_timeout_add_seconds (DEADLINE, on_deadline, (gpointer) uri);
  client.websocket =
      whisperlive_websocket_open (settings, &events, &client, &live);
  while (!client.closed)
    g_main_context_iteration (NULL, TRUE);
  if (client.websocket->connection)
    g_signal_handlers_disconnect_by_data (client.websocket->connection,
        &client);
  whisperlive_websocket_free (client.websocket);
  while (live > 0)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  if (!client.opened) {
    g_printerr ("no connection with %s\n", uri);
    exit (1);
  }
  return client.text;
}

int
main (int argc, char *argv[])
{
  g_autofree gchar *count = NULL, *count_uri = NULL, *report_uri = NULL;
  guint i;

  gst_init (NULL, NULL);
  if (argc != 2) {
    g_printerr ("usage: autobahn-client URI\n");
    return 2;
  }

  count_uri = g_strconcat (argv[1], "/getCaseCount", NULL);
  count = run (count_uri, 0);
  for (i = 1; count && i <= (guint) atoi (count); i++) {
    g_autofree gchar *uri =
        g_strdup_printf ("%s/runCase?case=%u&agent=" AGENT, argv[1], i);

    g_free (run (uri, i));
  }
  report_uri = g_strconcat (argv[1], "/updateReports?agent=" AGENT, NULL);
  g_free (run (report_uri, 0));
  return 0;
}
