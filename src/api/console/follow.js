/** Parts of a page that are read again whenever the whole was. */
import { useEffect, useRef } from 'preact/hooks';
import { useResource } from './resource.js';

/** As `useResource`; read again each time `reads` changes. */
export function useFollowing(path, reads) {
  const resource = useResource(path);
  const { reload } = resource;
  const followed = useRef(reads);
  useEffect(() => {
    if (followed.current === reads) return;
    followed.current = reads;
    void reload();
  }, [reads, reload]);
  return resource;
}
