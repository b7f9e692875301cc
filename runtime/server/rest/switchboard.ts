import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { REQUEST_HEADERS, type SessionOrder } from '@slipway/crds/contract';
import type { ServedModel } from '../models/servedModel.ts';
import { badRequest, RequestError } from '../requestError.ts';
import { absentModel } from './absentModel.ts';
import type { CallContext } from './call.ts';
import { describe, isOpenToAll } from './descriptions.ts';
import type { Exchange } from './exchange.ts';
import { takeFeedback } from './feedback.ts';
import { ModelCall } from './modelCall.ts';
import { NodeExchange } from './nodeExchange.ts';
import { PassedCall } from './passedCall.ts';
import { countRefusal } from './refusal.ts';
import { repositoryControl, repositoryIndex } from './repository.ts';
import { type Route, Router } from './routes.ts';
import { type AnswerBody, ServerCall } from './serverCall.ts';
import { transferFault } from './transferCoding.ts';
import { type Answer, errorAnswer, identityHeaders, send, sendEarly } from './wire.ts';

const NOWHERE = new RequestError(
  404,
  'There is nothing at this path; a model answers at /v2/models/<name>/infer, /openapi.json tells the rest.',
);
const NO_HOST = badRequest('Send a Host header.');
const MANY_HOSTS = badRequest('Send one Host header.');

/** Whoever stands before this server may have gone by the other of two (RFC 9112 §3.2); node:http keeps the first alone. */
function hostFault({ rawHeaders, httpVersion }: IncomingMessage): RequestError | undefined {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) return MANY_HOSTS;
  return hosts === 0 && httpVersion === '1.1' ? NO_HOST : undefined;
}

/** Asks the caller for the body, where it waits for that. */
type Ask = (() => void) | undefined;

const asksModel = ({ name }: Route): boolean => name === 'infer' || name === 'predict';

/** Brings each request to what answers it. */
export class Switchboard {
  readonly #context: CallContext;
  readonly #router = new Router();
  /** Connections that close with the answer to a body whose end is anybody's guess: what came behind it is nobody's request. */
  readonly #garbled = new WeakSet<Duplex>();

  constructor(context: CallContext) {
    this.#context = context;
  }

  answer(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    if (this.#garbled.has(request.socket)) return void request.resume();
    const garbled = transferFault(request);
    if (garbled) {
      this.#garbled.add(request.socket);
      return void this.#refuse(request, response, garbled);
    }
    const route = this.#router.routeOf(request.url as string);
    if (!route) return void this.#refuse(request, response, NOWHERE);
    if (request.method !== route.method && !(request.method === 'HEAD' && route.method === 'GET')) {
      return void this.#refuse(request, response, wrongMethod(route, request.method as string));
    }
    const unhosted = hostFault(request);
    if (unhosted) return void this.#refuse(request, response, unhosted);
    const ask = expectsContinue ? () => response.writeContinue() : undefined;
    if (asksModel(route)) this.#ask(request, response, route, ask);
    else this.#answerServer(request, response, route, ask);
  }

  /** Answers a question to a model. False: that is not here, or the question is not its own, and `answer` is to be asked. */
  answerPlain(target: string, exchange: Exchange): boolean {
    const route = this.#router.routeOf(target);
    if (!route || !asksModel(route)) return false;
    const model = this.#context.repository.find(route.model, route.version);
    if (!model || this.#orderFor(route, exchange.headers)) return false;
    this.#start(new ModelCall(this.#context, exchange, route, model), exchange);
    return true;
  }

  #ask(request: IncomingMessage, response: ServerResponse, route: Route, ask: Ask): void {
    const model = this.#context.repository.find(route.model, route.version);
    if (!model) {
      return void this.#refuse(request, response, this.#faultOf(request) ?? absentModel(route, this.#context));
    }
    const exchange = new NodeExchange(request, response, this.#context);
    this.#start(this.#callOf(exchange, route, model), exchange, ask);
  }

  #start(call: ModelCall, exchange: Exchange, ask?: Ask): void {
    const fault = this.#faultOf(exchange);
    if (fault) call.fail(fault);
    else call.start(ask);
  }

  /** Whoever asks for one version by its number gets it from here or from nobody. */
  #orderFor(route: Route, headers: IncomingHttpHeaders): SessionOrder | undefined {
    return route.version === undefined ? this.#context.sessions?.orderFor(headers) : undefined;
  }

  #callOf(exchange: NodeExchange, route: Route, model: ServedModel): ModelCall {
    const { sessions } = this.#context;
    const order = this.#orderFor(route, exchange.headers);
    if (!sessions || !order) return new ModelCall(this.#context, exchange, route, model);
    return new PassedCall(this.#context, exchange, route, model, { sessions, order });
  }

  #answerServer(request: IncomingMessage, response: ServerResponse, route: Route, ask: Ask): void {
    const fault = isOpenToAll(route) ? undefined : this.#faultOf(request);
    if (fault) return void this.#refuse(request, response, fault);
    if (route.method === 'POST') {
      const exchange = new NodeExchange(request, response, this.#context);
      new ServerCall(this.#context, exchange, this.#bodyAnswer(request, route)).start(ask);
    } else this.#describe(request, response, route);
  }

  #bodyAnswer({ headers }: IncomingMessage, { name, model }: Route): AnswerBody {
    const { repository, now, peers } = this.#context;
    const passedOn = headers[REQUEST_HEADERS.forwarded] !== undefined;
    if (name === 'feedback') return (body) => takeFeedback(repository, body, now(), { peers, passedOn });
    if (name === 'repositoryIndex') return (body) => repositoryIndex(repository, body);
    const control = name === 'repositoryLoad' ? 'load' : 'unload';
    return (body) => repositoryControl(repository, control, model, body);
  }

  #describe(request: IncomingMessage, response: ServerResponse, route: Route): void {
    const model = route.model === '' ? undefined : this.#context.repository.find(route.model, route.version);
    try {
      const answer = describe(route, model, this.#context);
      this.#send(request, response, answer, model);
    } catch (error) {
      if (error instanceof RequestError) return void this.#refuse(request, response, error, model);
      this.#context.onFailure('The server failed on this request.', error);
      this.#refuse(request, response, new RequestError(500, 'The server failed on this request.'), model);
    }
  }

  #faultOf({ headers, socket }: Pick<Exchange, 'headers' | 'socket'>): RequestError | undefined {
    const { access, admitsCopy } = this.#context;
    if (!access) return undefined;
    const { authorization } = headers;
    const order = headers[REQUEST_HEADERS.shadow];
    const isCopy = typeof order === 'string' && authorization !== undefined && admitsCopy?.(order, authorization);
    return isCopy ? undefined : access.admit(authorization, socket.remoteAddress);
  }

  #send(request: IncomingMessage, response: ServerResponse, answer: Answer, model: ServedModel | undefined): void {
    const identity = identityHeaders(model?.identity ?? this.#context.identity);
    if (announcedBytes(request) > 0) return void this.#refuse(request, response, BODY_HERE, model);
    request.resume();
    send(response, answer, identity, this.#context.phase() === 'Draining');
  }

  #refuse(request: IncomingMessage, response: ServerResponse, fault: RequestError, model?: ServedModel): void {
    const identity = identityHeaders(model?.identity ?? this.#context.identity);
    if (fault !== NOWHERE) countRefusal(this.#context.refusals, fault);
    sendEarly(request, response, errorAnswer(fault), identity, announcedBytes(request), this.#context);
  }
}

const BODY_HERE = badRequest('Send no body with GET.');

const announcedBytes = ({ headers }: IncomingMessage): number => {
  const length = headers['content-length'];
  if (length !== undefined) return Number(length);
  return headers['transfer-encoding'] === undefined ? 0 : Number.POSITIVE_INFINITY;
};

function wrongMethod({ method }: Route, used: string): RequestError {
  const allow = method === 'GET' ? 'GET, HEAD' : method;
  return new RequestError(405, `Use ${method} here, not ${used}.`, { allow });
}
