/** The parameters of legs that are over: equal ones are kept once, and no configuration lives on because of them. */
import type { SettingsView } from './backend.ts';
import type { ConfiguredLeg } from './call-view.ts';

type SipInterface = ConfiguredLeg['sipInterface'];
type SessionAgent = ConfiguredLeg['agent'];

/** Different ones; a machine has few, however often its file is reloaded. */
const MAX_KNOWN = 500;

export class KeptSettings {
  readonly #read: (leg: ConfiguredLeg) => SettingsView;
  /** As long as a configuration is there, its legs need not be read twice. */
  readonly #byLeg = new WeakMap<SipInterface, Map<SessionAgent, SettingsView>>();
  /** By their text, the oldest first. */
  readonly #known = new Map<string, SettingsView>();

  constructor(read: (leg: ConfiguredLeg) => SettingsView) {
    this.#read = read;
  }

  readonly of = (leg: ConfiguredLeg): SettingsView => {
    const { sipInterface, agent } = leg;
    let byAgent = this.#byLeg.get(sipInterface);
    if (byAgent === undefined) {
      byAgent = new Map();
      this.#byLeg.set(sipInterface, byAgent);
    }
    let view = byAgent.get(agent);
    if (view === undefined) {
      view = this.#intern(this.#read(leg));
      byAgent.set(agent, view);
    }
    return view;
  };

  #intern(view: SettingsView): SettingsView {
    const text = JSON.stringify(view);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#known.set(text, view);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    return view;
  }
}
