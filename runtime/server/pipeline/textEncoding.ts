import { Tokenizer } from '@huggingface/tokenizers';
import { FILES } from '@slipway/crds/contract';
import { Failure, sentenceOf } from '../../artifact/failure.ts';
import { EngineError } from '../engine/engine.ts';

/** The tokens of one text, special ones included, without padding. */
export interface Encoded {
  readonly ids: readonly number[];
  /** Which segment each token belongs to. */
  readonly types: readonly number[];
}

export interface EncodingLimits {
  /** Tokens of one text, special ones included; undefined: no limit is known. */
  readonly maxTokens: number | undefined;
  /** Whether a longer text is cut instead of refused. */
  readonly truncate: boolean;
}

/**
 * A text so long takes no look at its tokens: encoding runs on the thread that reads sockets, and a body of megabytes
 * would hold it. Generous: a token of natural language has about four characters.
 */
const MOST_CHARACTERS_PER_TOKEN = 64;
const LEAST_LIMIT = 16_384;

/** A tokenizer.json (Hugging Face's format) at work. Pure but for its memory of recent texts. */
export class TextEncoder {
  readonly #tokenizer: Tokenizer;
  readonly #limits: EncodingLimits;
  /** What `check` has encoded, `run` need not encode again. */
  readonly #recent = new Map<string, Encoded>();
  #recentCharacters = 0;

  /** Throws Failure ModelInvalid when the tokenizer is not one. */
  constructor(vocabulary: object, config: object, limits: EncodingLimits) {
    this.#limits = limits;
    try {
      this.#tokenizer = new Tokenizer({ added_tokens: [], ...vocabulary }, config);
      this.#tokenizer.encode('a');
    } catch (error) {
      throw new Failure('ModelInvalid', `${FILES.tokenizer} cannot be used: ${sentenceOf(error)}.`);
    }
  }

  /** The id of a token of the vocabulary. */
  idOf(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token);
  }

  /** Throws EngineError InvalidInput when the text is too long; `which` names it in the sentence. */
  encode(text: string, which: string): Encoded {
    const recent = this.#recent.get(text);
    if (recent) return recent;
    const encoded = this.#encode(text, which);
    this.#remember(text, encoded);
    return encoded;
  }

  #encode(text: string, which: string): Encoded {
    const { maxTokens, truncate } = this.#limits;
    if (maxTokens === undefined) return this.#tokens(text);
    const most = Math.max(LEAST_LIMIT, maxTokens * MOST_CHARACTERS_PER_TOKEN);
    if (text.length > most && !truncate) throw tooLong(which, `${text.length} characters`, `about ${maxTokens} tokens`);
    const encoded = this.#tokens(text.slice(0, most));
    if (encoded.ids.length <= maxTokens) return encoded;
    if (!truncate) throw tooLong(which, `${encoded.ids.length} tokens`, `${maxTokens}`);
    return this.#cut(text.slice(0, most), encoded, maxTokens);
  }

  #tokens(text: string): Encoded {
    const { ids, token_type_ids } = this.#tokenizer.encode(text, { return_token_type_ids: true });
    return { ids, types: token_type_ids };
  }

  /** Drops the last tokens of the text itself: the special ones around it stay, as in training. */
  #cut(text: string, { ids, types }: Encoded, maxTokens: number): Encoded {
    const bare = this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
    const start = Math.max(0, indexOfRun(ids, bare));
    const kept = Math.max(0, maxTokens - (ids.length - bare.length));
    const cut = (all: readonly number[]) =>
      [...all.slice(0, start + kept), ...all.slice(start + bare.length)].slice(0, maxTokens);
    return { ids: cut(ids), types: cut(types) };
  }

  #remember(text: string, encoded: Encoded): void {
    this.#recent.set(text, encoded);
    this.#recentCharacters += text.length;
    for (const [oldest] of this.#recent) {
      if (this.#recentCharacters <= MOST_REMEMBERED_CHARACTERS) return;
      this.#recent.delete(oldest);
      this.#recentCharacters -= oldest.length;
    }
  }
}

const MOST_REMEMBERED_CHARACTERS = 2 ** 20;

/** Where `part` stands in `all` as a whole; -1 where it does not. */
const indexOfRun = (all: readonly number[], part: readonly number[]): number =>
  all.findIndex((_, offset) => part.every((id, i) => all[offset + i] === id));

const tooLong = (which: string, has: string, takes: string): EngineError =>
  new EngineError('InvalidInput', `${which} has ${has} and the model takes ${takes}; send less of it.`);
