// The HTTP interface: finds the route, checks who asks and what, and turns every error into an answer.

import { Hono } from 'hono';
import { safeParse, summarize } from 'valibot';
import { messageOf } from '../ipam/lease-error.ts';
import { ApiError, apiErrorOf, apiErrorStatus } from './api-error.ts';
import { authorize, type Identity } from './identity.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { discardBody, readRequestText } from './request-body.ts';
import type { ApiContext, ApiEnvironment, Route } from './route.ts';

/** Requests at once; streams of changes do not count when they have begun. */
const MOST_REQUESTS = 4096;

export interface ApiSettings {
	readonly identify: (context: ApiContext) => Identity;
	readonly metrics: Metrics;
	readonly log: Log;
}

export type Api = Hono<ApiEnvironment>;

export function createApi(routes: readonly Route[], { identify, metrics, log }: ApiSettings): Api {
	const api: Api = new Hono();
	let underWay = 0;
	for (const route of routes) {
		api.on(route.method.toUpperCase(), patternOf(route), async (context) => {
			const begin = performance.now();
			const answer = (response: Response): Response => {
				const seconds = (performance.now() - begin) / 1000;
				metrics.requestEnded({ route: route.path, method: route.method, status: response.status }, seconds);
				return response;
			};
			underWay++;
			try {
				if (underWay > MOST_REQUESTS)
					throw new ApiError('overloaded', 'too many requests at once', { 'retry-after': '1' });
				context.set('identity', identify(context));
				authorize(context.get('identity'), route.audience);
				context.set('body', await readBody(route, context));
				return answer(await route.handle(context));
			} catch (error) {
				return answer(refuse(context, error, log));
			} finally {
				underWay--;
			}
		});
	}
	for (const [pattern, allow] of methodsByPattern(routes)) {
		api.all(pattern, (context) => {
			const error = new ApiError('wrongMethod', `${context.req.path} takes ${allow.join(', ')}`, {
				allow: allow.join(', '),
			});
			return refuse(context, error, log);
		});
	}
	api.notFound((context) =>
		refuse(context, new ApiError('notFound', `there is no ${context.req.path}; see /openapi.json`), log),
	);
	api.onError((error, context) => refuse(context, error, log));
	return api;
}

/** `/v1/agents/{ip}` as Hono writes it, `/v1/agents/:ip`. */
function patternOf({ path }: Route): string {
	return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function methodsByPattern(routes: readonly Route[]): Map<string, string[]> {
	const methods = new Map<string, string[]>();
	for (const route of routes) {
		const pattern = patternOf(route);
		methods.set(pattern, [...(methods.get(pattern) ?? []), route.method.toUpperCase()]);
	}
	return methods;
}

/** The body that a route takes, decoded and checked; undefined for one that takes none. Throws ApiError. */
async function readBody({ body: shape, check }: Route, context: ApiContext): Promise<unknown> {
	if (shape === undefined) return undefined;
	const text = await readRequestText(context.env.incoming);
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new ApiError('invalidRequest', `the body is not JSON: ${messageOf(error)}`);
	}
	const problems = check?.(value) ?? [];
	if (problems.length > 0) throw new ApiError('invalidRequest', problems.join('\n'));
	const { success, output, issues } = safeParse(shape, value);
	if (!success) throw new ApiError('invalidRequest', `the body is not what it has to be: ${summarize(issues)}`);
	return output;
}

function refuse(context: ApiContext, error: unknown, log: Log): Response {
	const { code, message, headers } = apiErrorOf(error);
	const status = apiErrorStatus[code];
	const { method, path } = context.req;
	const details = { method, path, status, error: messageOf(error) };
	if (code === 'internal')
		log('error', 'request failed', { ...details, stack: error instanceof Error ? error.stack : undefined });
	else log('info', 'request refused', details);
	const closing = discardBody(context.env.incoming) ? { connection: 'close' } : {};
	return context.json({ code, message }, status, { ...headers, ...closing });
}
