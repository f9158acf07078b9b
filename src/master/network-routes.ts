// The routes about networks: they come and go while the master runs.

import * as v from 'valibot';
import type { Draft } from '../overlay/draft.ts';
import { decodeNetwork, type WrittenNetwork } from '../overlay/configuration.ts';
import { findProblemsOfNetwork } from '../overlay/configuration-rules.ts';
import { findShapeProblems, networkShape } from '../overlay/configuration-shape.ts';
import { usedSubnets } from '../overlay/conflicts.ts';
import { formatProblem } from '../overlay/problem.ts';
import { countHolders, followPlan, planNetwork } from '../overlay/reconciliation.ts';
import type { NetworkRecord } from '../overlay/records.ts';
import { removeNetwork } from '../overlay/release.ts';
import { rememberRemoval } from '../overlay/request-removal.ts';
import { networksOf, type OverlayState } from '../overlay/state.ts';
import { encodeNetwork, wireNetworkShape } from '../overlay/wire.ts';
import { ApiError } from './api-error.ts';
import { usageOf } from './pool-usage.ts';
import type { ApiContext, Route } from './route.ts';
import type { Services } from './services.ts';

const usageShape = v.optional(v.object({ size: v.number(), used: v.number(), free: v.number(), barred: v.number() }));
const shownNetworkShape = v.object({
	...wireNetworkShape.entries,
	origin: v.picklist(['file', 'request']),
	/** Of its agent subnets. */
	ipv4: usageShape,
	ipv6: usageShape,
});
const networksShape = v.object({
	vteps: v.object({ ipv4: usageShape, ipv6: usageShape }),
	networks: v.array(shownNetworkShape),
	/** Of the file, but removed by a request. */
	removed: v.array(v.object({ name: v.string(), time: v.string() })),
});
type Networks = v.InferOutput<typeof networksShape>;

export function networkRoutes(services: Services): Route[] {
	return [
		{
			method: 'get',
			path: '/v1/networks',
			audience: 'known',
			summary: 'The networks, and how much of them is in use',
			answers: { 200: { description: 'The networks', shape: networksShape } },
			handle: (context) => context.json(show(services.registry.durable)),
		},
		{
			method: 'post',
			path: '/v1/networks',
			audience: 'operator',
			summary: 'Adds a network, or gives one that is there more room, another family, or a change of enabled',
			body: networkShape,
			check: (body) => findShapeProblems(networkShape, body, []).map(formatProblem),
			answers: {
				200: { description: 'It was there', shape: wireNetworkShape },
				201: { description: 'It was added; all agents have their parts of it', shape: wireNetworkShape },
			},
			errors: ['conflict'],
			handle: (context) => postNetwork(services, context),
		},
		{
			method: 'delete',
			path: '/v1/networks/{name}',
			audience: 'operator',
			summary: 'Drains a network: it goes when no container is left on it',
			parameters: { name: 'the network', force: '"true": it goes at once' },
			answers: {
				200: { description: 'It is gone', shape: wireNetworkShape },
				202: { description: 'It is being drained', shape: wireNetworkShape },
			},
			errors: ['notFound'],
			handle: (context) => deleteNetwork(services, context),
		},
	];
}

function show(state: OverlayState): Networks {
	const usages = (network: string | undefined) => ({
		ipv4: usageOf(state, { network, family: 4 }),
		ipv6: usageOf(state, { network, family: 6 }),
	});
	return {
		vteps: usages(undefined),
		networks: networksOf(state).map((record) => ({
			...encodeNetwork(record),
			origin: record.origin,
			...usages(record.network.name),
		})),
		removed: Array.from(state.removed, ([name, { time }]) => ({ name, time: new Date(time).toISOString() })),
	};
}

async function postNetwork({ registry, hostNetworks, log, now }: Services, context: ApiContext): Promise<Response> {
	const written = context.get('body') as WrittenNetwork;
	const { name } = written;
	const { isNew, record, actions } = await registry.change((draft) => {
		const { state } = draft;
		const others = networksOf(state).flatMap(({ network }) => (network.name === name ? [] : network));
		const problems = findProblemsOfNetwork(written, [...usedSubnets(state.vtep, others), ...hostNetworks()]);
		if (problems.length > 0) throw new ApiError('invalidRequest', problems.map(formatProblem).join('\n'));
		const before = state.networks.get(name);
		const wanted = {
			network: decodeNetwork(written),
			origin: before?.origin ?? 'request',
			position: placeOf(state, name),
		};
		const plan = planNetwork(state, wanted);
		const [refusal] = plan.refusals;
		if (refusal !== undefined) throw new ApiError('conflict', `${refusal.wrong}; ${refusal.advice}`);
		followPlan(draft, plan, now());
		return { isNew: before === undefined, record: state.networks.get(name), actions: plan.actions };
	});
	for (const { text } of actions) log('info', 'network changed', { network: name, what: text });
	return context.json(record && encodeNetwork(record), isNew ? 201 : 200);
}

/** Its own place, or that behind all others. */
function placeOf({ networks }: OverlayState, name: string): number {
	return (
		networks.get(name)?.position ?? Math.max(-1, ...Array.from(networks.values(), ({ position }) => position)) + 1
	);
}

async function deleteNetwork({ registry, log, now }: Services, context: ApiContext): Promise<Response> {
	const name = context.req.param('name') ?? '';
	const force = context.req.query('force') === 'true';
	const { record, isGone } = await registry.change((draft) => takeAway(draft, name, force, now()));
	log('info', isGone ? 'network removed' : 'network changed', {
		network: name,
		what: isGone ? undefined : 'drained',
		remedy: record.origin === 'file' ? 'it stays away; take it out of the file, too' : undefined,
	});
	return context.json(encodeNetwork(record), isGone ? 200 : 202);
}

function takeAway(draft: Draft, name: string, force: boolean, now: number): { record: NetworkRecord; isGone: boolean } {
	const before = draft.state.networks.get(name);
	if (before === undefined) throw new ApiError('notFound', `there is no network "${name}"`);
	const record: NetworkRecord = { ...before, phase: 'draining' };
	const isGone = force || countHolders(draft.state, name) === 0;
	if (isGone) removeNetwork(draft, name, now);
	else if (before.phase === 'active') draft.put({ kind: 'network', key: name, value: record });
	rememberRemoval(draft, before, now);
	return { record, isGone };
}
