// A route as data: what it takes, what it answers, and who may use it. The server and the OpenAPI document are made of these.

import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { GenericSchema } from 'valibot';
import type { ApiErrorCode } from './api-error.ts';
import type { Audience, Identity } from './identity.ts';

export interface ApiEnvironment {
	readonly Bindings: HttpBindings;
	readonly Variables: { readonly identity: Identity; readonly body: unknown };
}

export type ApiContext = Context<ApiEnvironment>;

export interface Answer {
	readonly description: string;
	readonly shape?: GenericSchema;
	/** Of what is answered; JSON by default. */
	readonly type?: string;
	/** Of a stream: the data of each kind of event. */
	readonly events?: Readonly<Record<string, GenericSchema>>;
}

export interface Route {
	readonly method: 'get' | 'put' | 'post' | 'delete';
	/** With parameters in braces, `/v1/agents/{ip}`. */
	readonly path: string;
	readonly audience: Audience;
	readonly summary: string;
	/** The parameters of path and query, and what they are. */
	readonly parameters?: Readonly<Record<string, string>>;
	/** What the body has to be. */
	readonly body?: GenericSchema;
	/** Says all that is wrong with a body, where there is more to say than the shape itself does. */
	readonly check?: (body: unknown) => readonly string[];
	/** By status. */
	readonly answers: Readonly<Record<number, Answer>>;
	/** What can go wrong besides what can go wrong with every request. */
	readonly errors?: readonly ApiErrorCode[];
	readonly handle: (context: ApiContext) => Response | Promise<Response>;
}
