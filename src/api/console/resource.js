/** State of the SBC as a part of the page reads it. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { problemOf, read } from './client.js';

/**
 * Reads `path` now and whenever `reload` is called. What was read last stays while it is read again, and when that
 * fails.
 *
 * @returns `{ data, problem, status, isLoading, reads, reload, change }`: `reads` counts the answers,
 *   `change(data => data)` puts in what an event said.
 */
export function useResource(path) {
  const [state, setState] = useState({ path, isLoading: true });
  const latest = useRef({ path, isBusy: false, isStale: false });
  const reload = useCallback(async () => {
    const own = latest.current;
    // One request at a time: what happens during it is read by one more.
    own.isStale = own.isBusy;
    if (own.isBusy) return;
    own.isBusy = true;
    const answer = await read(own.path);
    own.isBusy = false;
    if (latest.current !== own) return;
    const { status, data } = answer;
    const isGood = status === 200;
    setState((before) => ({
      path: own.path,
      status,
      data: isGood ? data : before.data,
      problem: isGood ? undefined : problemOf(answer),
      isLoading: false,
      reads: (before.reads ?? 0) + 1,
    }));
    if (own.isStale) void reload();
  }, []);
  const change = useCallback((edit) => {
    // An answer under way may be older than the event.
    latest.current.isStale = latest.current.isBusy;
    setState((before) =>
      before.data === undefined ? before : { ...before, data: edit(before.data) },
    );
  }, []);
  useEffect(() => {
    latest.current = { path, isBusy: false, isStale: false };
    setState({ path, isLoading: true });
    void reload();
  }, [path, reload]);
  const shown = state.path === path ? state : { path, isLoading: true };
  return { ...shown, reload, change };
}
