import type { CdrFiles } from '../observe/cdr-files.ts';
import type { CdrRecord } from '../observe/cdr.ts';

/** Stands for the disk of the call records. */
export class RecordsInMemory implements CdrFiles {
  #text = '';

  /** The first record; `undefined` while there is none. */
  get first(): CdrRecord | undefined {
    const [line = ''] = this.#text.split('\n');
    if (line === '') return undefined;
    const record: CdrRecord = JSON.parse(line);
    // The machine that simulates is no part of the call.
    return { ...record, node: '' };
  }

  async append(_file: string, text: string): Promise<void> {
    this.#text += text;
  }

  async info(): Promise<undefined> {
    return undefined;
  }

  async tail(): Promise<Buffer> {
    return Buffer.alloc(0);
  }

  async cut(): Promise<void> {}

  async rename(): Promise<void> {}

  async remove(): Promise<void> {}

  async list(): Promise<readonly string[]> {
    return [];
  }
}
