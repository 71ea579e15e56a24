/** Addresses inside the console; router.js reads them. */
export function hrefOf(name, id, params = {}) {
  const query = new URLSearchParams(params).toString();
  const path = id === undefined ? name : `${name}/${encodeURIComponent(id)}`;
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}
