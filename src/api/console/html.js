/** Markup as a template; values go in as text, never as markup. */
import htm from 'htm';
import { h } from 'preact';

export const html = htm.bind(h);
