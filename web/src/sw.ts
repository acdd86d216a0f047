/// <reference lib="webworker" />
/**
 * Lets Bookbag open without network: it keeps the shell (page, script, letters, mark) and nothing else. Answers of the
 * server are never kept here, because what is kept of a person must go with that person's membership (src/keep).
 */
import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  type PrecacheEntry,
  precacheAndRoute,
} from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (PrecacheEntry | string)[] };

const LETTERS = "bookbag-letters";

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();

// A deep link is the same page; what belongs to the server stays the server's.
registerRoute(
  new NavigationRoute(createHandlerBoundToURL("/index.html"), {
    denylist: [/^\/(?:identity|messaging|notify|dev|problems)(?:\/|$)/, /^\/(?:openapi\.json|healthz|readyz|metrics)$/],
  }),
);

// The larger scripts, when a reader first needs them; their names change with their content.
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith("/assets/") && url.pathname.endsWith(".woff2"),
  async ({ request }) => {
    const kept = await caches.open(LETTERS);
    const known = await kept.match(request);
    if (known) return known;
    const fetched = await fetch(request);
    if (fetched.ok) await kept.put(request, fetched.clone());
    return fetched;
  },
);

self.addEventListener("message", (event) => {
  if ((event.data as { type?: string } | null)?.type === "take-over") void self.skipWaiting();
});
