/** Says in words when what stands on the screen may be behind, and that writing still works. */
import { useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import { useLive } from "../data/hooks.ts";
import type { LiveState } from "../data/types.ts";
import "./live-strip.css";

/** A blink of the network is not worth a word. */
const PATIENCE_MS = 1500;

export function LiveStrip({ readOnly }: { readOnly: boolean }) {
  const state = useLive();
  const shown = useSettled(state);
  return <LiveWords state={shown} readOnly={readOnly} />;
}

export function LiveWords({ state, readOnly = false }: { state: LiveState; readOnly?: boolean }) {
  const { t } = useLingui();
  const words = () => {
    if (readOnly) return t`No network. You see what was kept on this device.`;
    if (state === "offline") return t`No network. You can write; it is sent when the network is back.`;
    if (state === "reconnecting") return t`Connecting again…`;
    return t`Connected`;
  };
  const quiet = state === "live" && !readOnly;
  return (
    <p className={quiet ? "unseen" : "live-strip"} role="status" data-testid="live-state" data-state={state}>
      {words()}
    </p>
  );
}

function useSettled(state: LiveState): LiveState {
  const [settled, setSettled] = useState<LiveState>(state === "reconnecting" ? "live" : state);
  useEffect(() => {
    if (state !== "reconnecting") {
      setSettled(state);
      return;
    }
    const timer = setTimeout(() => setSettled(state), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [state]);
  return settled;
}
