// The routes that show the state: as the original does, and as a stream of changes.

import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { documentStateShape } from '../overlay/document-shape.ts';
import { changeShape, snapshotShape } from '../overlay/watch-wire.ts';
import { authorizeAddress, canonicalIp } from './identity.ts';
import type { ApiContext, Route } from './route.ts';
import type { Services } from './services.ts';

/** Milliseconds; a longer one would be over at once. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

export function stateRoutes(services: Services): Route[] {
	const state = {
		method: 'get',
		audience: 'known',
		summary: 'The state, in the form of the original',
		answers: {
			200: { description: 'agents, and the configuration as network', shape: documentStateShape },
			304: { description: 'It is still that of If-None-Match' },
		},
		handle: (context: ApiContext) => answerState(services, context),
	} as const;
	return [
		{ ...state, path: '/overlay-master/state' },
		{ ...state, path: '/mesos/overlay-master/state' },
		{
			method: 'get',
			path: '/v1/watch',
			audience: 'known',
			summary: 'What changes, as server-sent events: snapshot, then change; comments as heartbeats',
			parameters: {
				from: 'the id of the last event that was seen; without it, or if it is not known any more, a snapshot comes first',
				agent: 'the address of the agent that watches, which shows that it is alive',
			},
			answers: {
				200: {
					description: 'Events',
					type: 'text/event-stream',
					events: { snapshot: snapshotShape, change: changeShape },
				},
			},
			handle: (context) => watch(services, context),
		},
	];
}

/** The state, compressed if that is wanted; or that it is still the same, RFC 9110 §13.1.2. */
export async function answerState({ statePage }: Services, context: ApiContext): Promise<Response> {
	const { tag, json, zipped } = statePage();
	const headers = { etag: tag, vary: 'accept-encoding', 'cache-control': 'no-cache' };
	const seen = (context.req.header('if-none-match') ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
	if (context.req.method === 'GET' && (seen.includes(tag) || seen.includes('*')))
		return context.body(null, 304, headers);
	const type = { ...headers, 'content-type': 'application/json' };
	if (!/\bgzip\b/.test(context.req.header('accept-encoding') ?? '')) return context.body(json, 200, type);
	return context.body(await zipped(), 200, { ...type, 'content-encoding': 'gzip' });
}

/** A stream lasts as long as the credential that it was asked for with. */
function watch({ registry, presence, feed, now }: Services, context: ApiContext): Response {
	const { outgoing } = context.env;
	const agent = canonicalIp(context.req.query('agent') ?? '');
	if (agent !== undefined) authorizeAddress(context.get('identity'), agent);
	const isAgent = agent !== undefined && registry.durable.agents.has(agent);
	const from = context.req.query('from') ?? context.req.header('last-event-id');
	const identity = context.get('identity');
	const expires = 'expires' in identity ? identity.expires : undefined;
	const timer = expires && setTimeout(() => outgoing.end(), Math.min(expires - now(), LONGEST_TIMEOUT));
	const unwatch = isAgent ? presence.watch(agent) : undefined;
	feed.serve(outgoing, from, () => {
		clearTimeout(timer);
		unwatch?.();
	});
	return RESPONSE_ALREADY_SENT;
}
