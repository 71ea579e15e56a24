import { isVoice } from '../../wire/sdp-media.ts';
import type { Side } from '../../wire/side.ts';
import { isSrtpAnswer } from './offer-answer-rewrite.ts';
import type { Agreed } from './offer-answer-state.ts';

/** How the audio of one leg is carried. */
export interface LegCodec {
  /** Name, clock and, when there are more than one, channels, such as `PCMA/8000`. */
  readonly codec: string | undefined;
  /** The leg is encrypted (RFC 3711). */
  readonly isSecure: boolean;
}

/** As the last answer on the leg of `side` says; of its first section with a voice codec in use. */
export function agreedCodec(agreed: Agreed | undefined, side: Side): LegCodec {
  const description = agreed?.legs[side];
  const answer = side === agreed?.answerSide ? description?.own : description?.ours;
  const audio = answer?.media.find(
    ({ kind, port, codecs }) =>
      kind === 'audio' && port !== 0 && codecs.some((each) => isVoice(each)),
  );
  const voice = audio?.codecs.find((each) => isVoice(each));
  const isSecure = isSrtpAnswer(audio);
  if (voice === undefined) return { codec: undefined, isSecure };
  const channels = voice.channels > 1 ? `/${voice.channels}` : '';
  return { codec: `${voice.name}/${voice.clockRate}${channels}`, isSecure };
}
