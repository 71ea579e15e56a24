/** When a page reads state anew without being told to each time. */
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { useResource } from './resource.js';

/** As `useResource`, and read again each `everyMs` while somebody looks: for state that no event tells of. */
export function usePolled(path, everyMs) {
  const resource = useResource(path);
  const { reload } = resource;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [reload, everyMs]);
  return resource;
}

/** Gives what asks for `action` within `delayMs`; however often that is asked, it is done once. */
export function useSoon(action, delayMs) {
  const timer = useRef();
  const latest = useRef(action);
  latest.current = action;
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, delayMs);
  }, [delayMs]);
}
