// The networks with which the original was tested, and a host that runs both a master and an agent, as its masters did.
import type { ExecutionContext } from 'ava';
import type { OverlayDocument } from '../../src/agent/status/overlay-document.ts';
import type { WrittenConfiguration } from '../../src/overlay/configuration.ts';
import { executable } from './cni.ts';
import { type ClusterHost, createCluster } from './cluster.ts';
import type { AgentHost, RunningCluster, State } from './cluster-hosts.ts';
import { startDaemon, startRequester, until } from './cluster-process.ts';
import { createPlace, masterCommand } from './master.ts';

export const overlay = {
	name: 'mz-overlay',
	subnet: '192.168.0.0/16',
	prefix: 24,
	subnet6: 'fd02::/64',
	prefix6: 80,
};

export const fixture = {
	vtep_subnet: '44.128.0.0/16',
	vtep_subnet6: 'fd03::/64',
	vtep_mac_oui: '70:B3:D5:00:00:00',
	overlays: [overlay],
} satisfies WrittenConfiguration;

/** Milliseconds after which nothing comes any more, on however busy a machine. */
export const PATIENCE = 20_000;

/** Waits until a host has so many networks that are all well, and the master knows; gives what both show. */
export async function wellOverlays(
	{ state }: Pick<RunningCluster, 'state'>,
	host: Pick<AgentHost, 'ip' | 'overlay'>,
	count = 1,
): Promise<OverlayDocument['overlays']> {
	let shown: OverlayDocument['overlays'] = [];
	await until(
		`${count} networks of ${host.ip} to be well`,
		async () => {
			shown = (await host.overlay()).overlays;
			const { agents } = await state();
			const known = agents.find(({ ip }) => ip === host.ip)?.overlays;
			const isWell = shown.every((one) => one.state.status === 'STATUS_OK');
			return shown.length === count && isWell && JSON.stringify(known) === JSON.stringify(shown);
		},
		PATIENCE,
	);
	return shown;
}

/** Has the master end, and start again with another configuration. */
export async function reconfigure(cluster: RunningCluster, members: object): Promise<void> {
	await cluster.master().end();
	cluster.place.configure(members);
	await cluster.startMaster();
	await cluster.settled(cluster.hosts, PATIENCE);
}

export interface MasterHost extends Pick<AgentHost, 'ip' | 'overlay' | 'show'> {
	readonly host: ClusterHost;
	state(): Promise<State>;
	/** What GET of a path of the master answers. */
	showMaster(path: string): Promise<unknown>;
	startAgent(): Promise<void>;
}

/** Starts a master on a host, whose agent is started later. */
export async function startMasterHost(t: ExecutionContext, members: object): Promise<MasterHost> {
	const [host] = createCluster(t, 1).hosts;
	if (host === undefined) throw new Error('expected a host');
	const { directory, ip } = host;
	const place = createPlace(t, members);
	const master = '127.0.0.1:5055';
	await startDaemon(t, host, masterCommand(place, '--listen', master)).event('master started', 0, PATIENCE);
	const request = startRequester(t, host);
	const show = (path: string) => request('GET', `http://127.0.0.1:5056${path}`);
	const showMaster = async (path: string) => (await request('GET', `http://${master}${path}`)).json;
	const directories = ['--cni-dir', `${directory}/cni`, '--state-dir', `${directory}/state`, '--run-dir', directory];
	return {
		ip,
		host,
		show,
		showMaster,
		state: async () => (await showMaster('/overlay-master/state')) as State,
		overlay: async () => (await show('/overlay-agent/overlay')).json as OverlayDocument,
		startAgent: async () => {
			const words = ['agent', '--master', `http://${master}`, '--ip', ip, ...directories, '--docker', 'none'];
			await startDaemon(t, host, [executable, ...words]).event('agent started', 0, PATIENCE);
		},
	};
}
