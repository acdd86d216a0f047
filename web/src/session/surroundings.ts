/** What the browser tells this tab: network, visibility, and the words of other tabs. */
export type Surroundings = {
  online(): boolean;
  visible(): boolean;
  /** Calls `heard` whenever it happens; the answer ends that. */
  on(what: "online" | "offline" | "visible" | "hidden", heard: () => void): () => void;
  /** A line to the other tabs; what one says, it does not hear itself. */
  tabs(name: string, heard: (said: unknown) => void): { say(word: unknown): void; close(): void };
};

export function browserSurroundings(): Surroundings {
  return {
    online: () => navigator.onLine,
    visible: () => document.visibilityState === "visible",
    on(what, heard) {
      if (what === "online" || what === "offline") {
        window.addEventListener(what, heard);
        return () => window.removeEventListener(what, heard);
      }
      const look = () => {
        if (document.visibilityState === what) heard();
      };
      document.addEventListener("visibilitychange", look);
      return () => document.removeEventListener("visibilitychange", look);
    },
    tabs(name, heard) {
      const line = new BroadcastChannel(`bookbag:${name}`);
      line.onmessage = (event) => heard(event.data);
      return { say: (word) => line.postMessage(word), close: () => line.close() };
    },
  };
}
