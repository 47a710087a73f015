/* whisperlive-proxy: how to get to the server
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-proxy.h"

#include <string.h>

/* What GIO's HTTP proxy is called here: libsoup takes over what is called "http". */
#define TUNNEL "whisperlive-http"
#define HTTP_PORT 80

#define WHISPERLIVE_TYPE_PROXY_RESOLVER (whisperlive_proxy_resolver_get_type ())
G_DECLARE_FINAL_TYPE (WhisperLiveProxyResolver, whisperlive_proxy_resolver,
    WHISPERLIVE, PROXY_RESOLVER, GObject);

struct _WhisperLiveProxyResolver
{
  GObject parent;
  GProxyResolver *resolver;
  gchar *user, *password;
};

static void whisperlive_proxy_resolver_iface_init (GProxyResolverInterface *
    iface);

G_DEFINE_TYPE_WITH_CODE (WhisperLiveProxyResolver, whisperlive_proxy_resolver,
    G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER,
        whisperlive_proxy_resolver_iface_init));

/* GIO has one name for each type. FALSE: this GIO has no such type; the proxy is left to libsoup, which is good enough for wss://. */
static gboolean
can_tunnel (void)
{
  static GType type = 0;

  if (g_once_init_enter (&type)) {
    g_autoptr (GProxy) http = g_proxy_get_default_for_protocol ("http");
    GTypeQuery query = { 0 };
    GType tunnel = G_TYPE_NONE;

    if (http)
      g_type_query (G_OBJECT_TYPE (http), &query);
    if (query.type)
      tunnel = g_type_register_static_simple (query.type, "WhisperLiveTunnel",
          query.class_size, NULL, query.instance_size, NULL, 0);
    if (tunnel != G_TYPE_NONE)
      g_io_extension_point_implement (G_PROXY_EXTENSION_POINT_NAME, tunnel,
          TUNNEL, 0);
    g_once_init_leave (&type, tunnel);
  }
  return type != G_TYPE_NONE;
}

/* NULL: it is good as it is. */
static gchar *
make_proxy (WhisperLiveProxyResolver * self, const gchar * proxy)
{
  g_autofree gchar *scheme = NULL, *userinfo = NULL, *host = NULL;
  gint port;
  gboolean tunnel;

  if (!g_uri_split (proxy, G_URI_FLAGS_ENCODED, &scheme, &userinfo, &host,
          &port, NULL, NULL, NULL, NULL) || !host || !*host)
    return NULL;
  tunnel = g_str_equal (scheme, "http") && can_tunnel ();
  if (!tunnel && (userinfo || !self->user))
    return NULL;
  if (!userinfo && self->user) {
    g_autofree gchar *user = g_uri_escape_string (self->user, NULL, FALSE);
    g_autofree gchar *password =
        g_uri_escape_string (self->password ? self->password : "", NULL, FALSE);

    userinfo = g_strconcat (user, ":", password, NULL);
  }
  return g_uri_join (G_URI_FLAGS_ENCODED, tunnel ? TUNNEL : scheme, userinfo,
      host, tunnel && port <= 0 ? HTTP_PORT : port, "", NULL, NULL);
}

static void
make_proxies (WhisperLiveProxyResolver * self, gchar ** proxies)
{
  for (; proxies && *proxies; proxies++) {
    gchar *proxy = make_proxy (self, *proxies);

    if (proxy) {
      g_free (*proxies);
      *proxies = proxy;
    }
  }
}

static gboolean
is_supported (GProxyResolver * resolver)
{
  return TRUE;
}

/* The system knows no proxies for WebSocket, but those of HTTP are for it as well. */
static gchar *
make_http (const gchar * uri)
{
  return g_str_has_prefix (uri, "ws") ?
      g_strconcat ("http", uri + strlen ("ws"), NULL) : g_strdup (uri);
}

static gchar **
lookup (GProxyResolver * resolver, const gchar * uri,
    GCancellable * cancellable, GError ** error)
{
  WhisperLiveProxyResolver *self = WHISPERLIVE_PROXY_RESOLVER (resolver);
  g_autofree gchar *http = make_http (uri);
  gchar **proxies =
      g_proxy_resolver_lookup (self->resolver, http, cancellable, error);

  make_proxies (self, proxies);
  return proxies;
}

static void
on_found (GObject * resolver, GAsyncResult * result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  gchar **proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (resolver),
      result, &error);

  make_proxies (g_task_get_source_object (task), proxies);
  if (proxies)
    g_task_return_pointer (task, proxies, (GDestroyNotify) g_strfreev);
  else
    g_task_return_error (task, error);
}

static void
lookup_async (GProxyResolver * resolver, const gchar * uri,
    GCancellable * cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  WhisperLiveProxyResolver *self = WHISPERLIVE_PROXY_RESOLVER (resolver);
  g_autofree gchar *http = make_http (uri);

  g_proxy_resolver_lookup_async (self->resolver, http, cancellable, on_found,
      g_task_new (self, cancellable, callback, user_data));
}

static gchar **
lookup_finish (GProxyResolver * resolver, GAsyncResult * result,
    GError ** error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
whisperlive_proxy_resolver_iface_init (GProxyResolverInterface * iface)
{
  iface->is_supported = is_supported;
  iface->lookup = lookup;
  iface->lookup_async = lookup_async;
  iface->lookup_finish = lookup_finish;
}

static void
finalize (GObject * object)
{
  WhisperLiveProxyResolver *self = WHISPERLIVE_PROXY_RESOLVER (object);

  g_object_unref (self->resolver);
  g_free (self->user);
  g_free (self->password);
  G_OBJECT_CLASS (whisperlive_proxy_resolver_parent_class)->finalize (object);
}

static void
whisperlive_proxy_resolver_class_init (WhisperLiveProxyResolverClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = finalize;
}

static void
whisperlive_proxy_resolver_init (WhisperLiveProxyResolver * self)
{
}

GProxyResolver *
whisperlive_proxy_resolver_new (const WhisperLiveSettings * settings)
{
  WhisperLiveProxyResolver *self =
      g_object_new (WHISPERLIVE_TYPE_PROXY_RESOLVER, NULL);
  g_autofree gchar *proxy = whisperlive_settings_dup_proxy (settings);

  self->resolver = proxy ? g_simple_proxy_resolver_new (proxy, NULL) :
      g_object_ref (g_proxy_resolver_get_default ());
  self->user = g_strdup (settings->proxy_id);
  self->password = g_strdup (settings->proxy_pw);
  return G_PROXY_RESOLVER (self);
}
