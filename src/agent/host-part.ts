// Makes and keeps this host's part of the networks: in the kernel at once, then rules, files and Docker.

import { messageOf } from '../ipam/lease-error.ts';
import type { AgentOptions } from './agent-options.ts';
import { type ClusterState, networksOf } from './master/cluster-state.ts';
import type { Engine } from './docker/docker-engine.ts';
import { keepDocker } from './docker/docker-part.ts';
import { createHostStatus, type HostStatus } from './status/host-status.ts';
import { startKernelPart } from './kernel/kernel-part.ts';
import type { Log } from './log.ts';
import type { AgentMetrics } from './status/metrics.ts';
import { NO_TROUBLE, type Trouble, troubleOfNetworks } from './status/network-status.ts';
import { keepFiles, keepRules, withdrawConfFiles } from './plugin/plugin-part.ts';
import { watchRules } from './plugin/rules-watch.ts';
import { createSerial } from './serial.ts';

export interface HostPart extends Pick<HostStatus, 'statuses' | 'problems'> {
	/** Has the host be as a state says: in the kernel when it resolves, in the rest soon after. Never rejects. */
	want(state: ClusterState): Promise<void>;
	/** Ends the keeping, and leaves the host as it is. */
	stop(): Promise<void>;
}

interface Surroundings {
	readonly log: Log;
	readonly metrics: AgentMetrics;
	readonly engine: Engine | undefined;
	/** Called when kernel, rules and files have been seen to. Not Docker, which may wait for this very agent to start. */
	readonly onSettled: () => void;
	/** Called when a status has changed. */
	readonly onStatus: () => void;
}

/** Milliseconds after which rules, files and underlay are looked at again, whatever was told. */
const INTERVAL = 2000;
/** So many intervals later also Docker. */
const DOCKER_TURN = 2;

/** Throws NetlinkError when the kernel cannot be listened to. */
export function startHostPart(
	options: AgentOptions,
	{ log, metrics, engine, onSettled, onStatus }: Surroundings,
): HostPart {
	const { ip } = options;
	let state: ClusterState | undefined;
	let turn = 0;
	const status = createHostStatus({
		networks: () => (state === undefined ? [] : networksOf(state, ip)),
		needed: engine === undefined ? ['files'] : ['files', 'docker'],
		log,
		onStatus,
	});
	const kernel = startKernelPart(options, {
		log,
		metrics,
		onTrouble: (trouble) => status.set('kernel', trouble),
	});

	const plugin = createSerial(async () => {
		const current = state;
		const mtu = kernel.mtu();
		// Without an MTU there is no underlay: it is told, and comes back.
		if (current === undefined || (mtu === 0 && current.agents.has(ip))) return;
		await status.attempt('removal', () => {
			withdrawConfFiles(options, current);
			return NO_TROUBLE;
		});
		await status.attempt('rules', () => repairRules(current, mtu));
		await status.attempt('files', () => troubleOfNetworks(keepFiles(options, current, mtu)));
		status.tried('files', networksOf(current, ip));
		onSettled();
	});
	const rules = watchRules(
		() => plugin.run(),
		// They are looked at now and then all the same.
		(error) => log('error', 'rules not watched', { error: messageOf(error) }),
	);

	async function repairRules(current: ClusterState, mtu: number): Promise<Trouble> {
		const start = performance.now();
		const causes = rules.causes();
		const isDone = await keepRules(options, current, mtu, causes.length > 0);
		rules.forget(causes);
		if (causes.length === 0 || !isDone) return NO_TROUBLE;
		const milliseconds = performance.now() - start;
		metrics.applied(0, 0, milliseconds / 1000, true);
		log('warn', 'repaired', { milliseconds: Math.round(milliseconds), causes });
		return NO_TROUBLE;
	}

	const docker = createSerial(async () => {
		const current = state;
		const mtu = kernel.mtu();
		if (current === undefined || engine === undefined || mtu === 0) return;
		await status.attempt('docker', async () =>
			troubleOfNetworks(await keepDocker(engine, options, current, mtu, { log, metrics })),
		);
		status.tried('docker', networksOf(current, ip));
	});

	const timer = setInterval(() => {
		if (state === undefined) return;
		void kernel.look();
		plugin.run();
		if (++turn % DOCKER_TURN === 0) docker.run();
	}, INTERVAL);

	return {
		want: async (next) => {
			const isOfAgents = state !== undefined && state.networks === next.networks && state.vteps === next.vteps;
			const isSame = isOfAgents && state?.agents.get(ip) === next.agents.get(ip);
			state = next;
			await kernel.want(next);
			// Of the other agents only the kernel has to know.
			if (isSame) return;
			plugin.run();
			docker.run();
		},
		statuses: () => status.statuses(),
		problems: () => status.problems(),
		stop: async () => {
			clearInterval(timer);
			rules.stop();
			await Promise.all([kernel.stop(), plugin.stop(), docker.stop()]);
		},
	};
}
