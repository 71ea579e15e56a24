/** What the mappings of interfaces, agents and policies share. */
import type { AccessControls } from './acme-access.ts';
import type { Realms } from './acme-realms.ts';
import type { SharedSettings } from './acme-shared.ts';
import type { AcmeSource } from './acme-source.ts';

export interface AcmeParts {
  readonly source: AcmeSource;
  readonly realms: Realms;
  readonly access: AccessControls;
  readonly shared: SharedSettings;
}
