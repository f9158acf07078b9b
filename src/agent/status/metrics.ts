// What is counted and measured, for Prometheus. Where the original counts the same thing, the name is its own.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { NetworkStatus } from './network-status.ts';

const PREFIX = 'mesos_overlay_slave_';

/** How things are at the moment. */
export interface Observed {
	readonly statuses: ReadonlyMap<string, NetworkStatus>;
	/** Networks of the cluster of which this host has no part. */
	readonly withoutSubnets: number;
	readonly isConnected: boolean;
	readonly agents: number;
}

export interface AgentMetrics {
	/** Something was done in the kernel, in seconds. */
	applied(actions: number, failures: number, seconds: number, isRepair: boolean): void;
	unreachable(agents: number): void;
	dockerFailures(count: number): void;
	registrationSent(hasReport: boolean): void;
	registrationAnswered(hasReport: boolean): void;
	registrationFailed(hasReport: boolean): void;
	eventCame(): void;
	/** Everything, in Prometheus' text format. */
	text(): Promise<string>;
	readonly contentType: string;
}

export function createMetrics(observe: () => Observed): AgentMetrics {
	const register = new Registry();
	collectDefaultMetrics({ register });
	const counter = (name: string, help: string): Counter => new Counter({ name, help, registers: [register] });
	const ours = (name: string, help: string): Counter => counter(PREFIX + name, help);
	const gauge = (name: string, help: string, read: (observed: Observed) => number): void => {
		const made: Gauge = new Gauge({ name, help, registers: [register], collect: () => made.set(read(observe())) });
	};
	const count = ({ statuses }: Observed, wanted: NetworkStatus['status']): number =>
		[...statuses.values()].filter(({ status }) => status === wanted).length;

	gauge(`${PREFIX}registering`, 'Whether the master is away, or refuses', ({ isConnected }) => (isConnected ? 0 : 1));
	gauge(`${PREFIX}overlay_config_failed`, 'Whether a network fails', (observed) =>
		count(observed, 'STATUS_FAILED') > 0 ? 1 : 0,
	);
	gauge(
		`${PREFIX}overlays_without_subnets`,
		'Networks of which this host has no part',
		(observed) => observed.withoutSubnets,
	);
	gauge('overlay_networks_configured', 'Networks that are as they should be', (observed) =>
		count(observed, 'STATUS_OK'),
	);
	gauge(`${PREFIX}agents`, 'Agents that the master knows', ({ agents }) => agents);
	const failures = ours('overlay_config_failures', 'Things that could not be done in the kernel');
	const dockerFailures = ours(
		'docker_cmd_failures',
		'Docker networks that are not as they should be, each time it was looked',
	);
	const sent = ours('internal_register_agent_messages_sent', 'Registrations and reports');
	const came = ours('internal_update_agent_overlays_messages_received', 'Those that were answered');
	const dropped = ours('internal_update_agent_overlays_messages_dropped', 'Those that were not answered, or refused');
	const reportSent = ours('internal_agent_registered_messages_sent', 'Reports about networks');
	const reportDropped = ours(
		'internal_agent_registered_messages_dropped',
		'Those that were not answered, or refused',
	);
	const acknowledged = ours('internal_agent_registered_acknowledgements_received', 'Those that were answered');
	const events = ours('events', 'Events of the master');
	const repairs = ours('repairs', 'How often something was put right that somebody else had changed');
	const actions = ours('actions', 'Things that were done in the kernel');
	const unreachable = new Gauge({
		name: `${PREFIX}unreachable`,
		help: 'Agents, or networks of them, that cannot be reached from here',
		registers: [register],
	});
	const netlinkErrors = counter('overlay_netlink_errors_total', 'The same as overlay_config_failures');
	const durations = new Histogram({
		name: 'overlay_update_processing_duration_seconds',
		help: 'Making the kernel as it should be',
		buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
		registers: [register],
	});
	return {
		applied: (done, failed, seconds, isRepair) => {
			actions.inc(done);
			failures.inc(failed);
			netlinkErrors.inc(failed);
			durations.observe(seconds);
			if (isRepair) repairs.inc();
		},
		unreachable: (agents) => unreachable.set(agents),
		dockerFailures: (number) => dockerFailures.inc(number),
		registrationSent: (hasReport) => {
			sent.inc();
			if (hasReport) reportSent.inc();
		},
		registrationAnswered: (hasReport) => {
			came.inc();
			if (hasReport) acknowledged.inc();
		},
		registrationFailed: (hasReport) => {
			dropped.inc();
			if (hasReport) reportDropped.inc();
		},
		eventCame: () => events.inc(),
		text: () => register.metrics(),
		contentType: register.contentType,
	};
}
