/**
 * Puts the service worker in place and tells when a newer client waits. Nothing reloads by itself: a new client starts
 * when every tab of the old one is closed, or when somebody says so.
 */
let waiting: ServiceWorker | null = null;
const listeners = new Set<() => void>();

export function onUpdate(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function updateWaits(): boolean {
  return waiting !== null;
}

/** The one reload there is: asked for by the person in front of it. */
export function takeUpdate(): void {
  if (!waiting) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.postMessage({ type: "take-over" });
}

export async function registerWorker(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register("/sw.js", { scope: "/" });
    const look = () => {
      // Without a controller this is the first visit, not an update.
      waiting = navigator.serviceWorker.controller ? registration.waiting : null;
      for (const listener of listeners) listener();
    };
    look();
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
  } catch {
    // Plain http in a school's network, or workers forbidden: everything but starting without network works.
  }
}

/** What the worker holds beside the shell goes with the person. */
export async function forgetCaches(): Promise<void> {
  if (!("caches" in globalThis)) return;
  const names = await caches.keys();
  await Promise.all(names.filter((name) => !name.includes("precache")).map((name) => caches.delete(name)));
}
