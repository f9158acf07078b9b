// What is counted and measured, for Prometheus. Where the original counts the same thing, the name is its own.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as Register } from 'prom-client';
import type { Shortage } from '../overlay/allocation.ts';
import type { OverlayState } from '../overlay/state.ts';
import { type PoolUsage, usageOf } from './pool-usage.ts';

const PREFIX = 'mesos_overlay_master_';

/** How things are at the moment. */
export interface Observed {
	readonly state: OverlayState;
	/** How often the master was started on this state before. */
	readonly restarts: number;
	readonly aliveAgents: () => number;
	readonly watchers: () => number;
}

export interface Metrics {
	/** A registration or report has come; `hasReport` if it tells of networks. */
	registrationCame(hasReport: boolean): void;
	registrationRefused(hasReport: boolean): void;
	registrationAnswered(hasReport: boolean): void;
	shortage(shortage: Shortage): void;
	requestEnded(
		labels: { readonly route: string; readonly method: string; readonly status: number },
		seconds: number,
	): void;
	commitEnded(succeeded: boolean, seconds: number): void;
	/** Everything, in Prometheus' text format. */
	text(): Promise<string>;
	readonly contentType: string;
}

export function createMetrics(observe: () => Observed): Metrics {
	const register = new Register();
	collectDefaultMetrics({ register });
	const counter = (name: string, help: string): Counter =>
		new Counter({ name: PREFIX + name, help, registers: [register] });
	const gauge = (name: string, help: string, read: (observed: Observed) => number): void => {
		const made: Gauge = new Gauge({
			name: PREFIX + name,
			help,
			registers: [register],
			collect: () => made.set(read(observe())),
		});
	};

	gauge('process_restarts', 'How often the master was started on this state before', ({ restarts }) => restarts);
	gauge('recovering', 'Whether the state is being read; nothing is served meanwhile', () => 0);
	const failures = {
		vtep: {
			4: counter('ip_allocation_failures', 'VTEP addresses that were not there'),
			6: counter('ip6_allocation_failures', 'The same for IPv6'),
		},
		subnet: {
			4: counter('subnet_allocation_failures', 'Agent subnets that were not there'),
			6: counter('subnet6_allocation_failures', 'The same for IPv6'),
		},
	};
	counter('bridge_allocation_failures', 'Halves that could not be made; none, since the configuration is checked');
	const messages = {
		came: counter('internal_register_agent_messages_received', 'Registrations and reports'),
		refused: counter('internal_register_agent_messages_dropped', 'Those that were refused'),
		answered: counter('internal_update_agent_overlays_messages_sent', 'Those that were answered'),
		reportCame: counter('internal_agent_registered_messages_received', 'Reports about networks'),
		reportRefused: counter('internal_agent_registered_messages_dropped', 'Those that were refused'),
		reportAnswered: counter('internal_agent_registered_acknowledgements_sent', 'Those that were answered'),
	};

	gauge('agents', 'Registered agents', ({ state }) => state.agents.size);
	gauge('agents_alive', 'Those that are alive', ({ aliveAgents }) => aliveAgents());
	gauge('watchers', 'Open streams of changes', ({ watchers }) => watchers());
	gauge(
		'draining_networks',
		'Networks that go when no container is left on them',
		({ state }) => [...state.networks.values()].filter(({ phase }) => phase === 'draining').length,
	);
	const pools: Gauge<'network' | 'family' | 'use'> = new Gauge({
		name: `${PREFIX}agent_subnets`,
		help: 'Agent subnets of each network: used, barred after their release, and free',
		labelNames: ['network', 'family', 'use'],
		registers: [register],
		collect: () => {
			// Of a network that is gone, nothing is to be left.
			pools.reset();
			const { state } = observe();
			for (const network of state.networks.keys()) {
				for (const { family, use, count } of usesOf(state, network)) pools.set({ network, family, use }, count);
			}
		},
	});
	const vteps: Gauge<'family' | 'use'> = new Gauge({
		name: `${PREFIX}vtep_addresses`,
		help: 'VTEP addresses: used, barred after their release, and free',
		labelNames: ['family', 'use'],
		registers: [register],
		collect: () => {
			for (const { family, use, count } of usesOf(observe().state, undefined)) vteps.set({ family, use }, count);
		},
	});
	const requests = new Histogram({
		name: `${PREFIX}request_duration_seconds`,
		help: 'HTTP requests; a stream of changes counts until it begins',
		labelNames: ['route', 'method', 'status'],
		buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
		registers: [register],
	});
	const commits = new Histogram({
		name: `${PREFIX}commit_duration_seconds`,
		help: 'Making a change durable',
		buckets: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
		registers: [register],
	});
	const failedCommits = counter('commit_failures', 'Changes that could not be made durable, and were not made');

	return {
		registrationCame: (hasReport) => {
			messages.came.inc();
			if (hasReport) messages.reportCame.inc();
		},
		registrationRefused: (hasReport) => {
			messages.refused.inc();
			if (hasReport) messages.reportRefused.inc();
		},
		registrationAnswered: (hasReport) => {
			messages.answered.inc();
			if (hasReport) messages.reportAnswered.inc();
		},
		shortage: ({ network, family }) => failures[network === undefined ? 'vtep' : 'subnet'][family].inc(),
		requestEnded: (labels, seconds) => requests.observe({ ...labels }, seconds),
		commitEnded: (succeeded, seconds) => {
			if (succeeded) commits.observe(seconds);
			else failedCommits.inc();
		},
		text: () => register.metrics(),
		contentType: register.contentType,
	};
}

/** How many blocks of each family of a pool are in which use. */
function usesOf(state: OverlayState, network: string | undefined) {
	return ([4, 6] as const).flatMap((family) => {
		const usage: Partial<PoolUsage> = usageOf(state, { network, family }) ?? {};
		return (['used', 'barred', 'free'] as const).flatMap((use) => {
			const count = usage[use];
			return count === undefined ? [] : [{ family: `ipv${family}`, use, count }];
		});
	});
}
