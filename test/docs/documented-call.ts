// Makes the calls that docs/configuration.md describes in its tables.
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Answer, invoke, toolDirectory } from '../helpers/cni.ts';
import type { Host } from '../helpers/host.ts';
import type { Namespace } from '../helpers/namespace.ts';

/** What a row changes in the call; `members` and those of its `ipam` are put over the page's first example. */
export interface Change {
	readonly members?: Readonly<Record<string, unknown>> & { readonly ipam?: object | null };
	readonly variables?: Readonly<Record<string, string>>;
	/** All of stdin, in place of a configuration. */
	readonly input?: string;
	/** The content of agent.json, in place of `agentSubnet`. */
	readonly agentFile?: string;
}

/** Reads code spans such as `"mtu": 67`, `CNI_IFNAME=a/b`. */
export function changeOf(spans: readonly string[]): Change {
	const members = spans.filter((span) => span.startsWith('"'));
	const variables = spans.filter((span) => !span.startsWith('"')).map((span) => span.split(/=(.*)/s).slice(0, 2));
	return {
		members: JSON.parse(`{${members.join(',')}}`) as Record<string, unknown>,
		variables: Object.fromEntries(variables) as Record<string, string>,
	};
}

/** Ranges stand in the place of an agent subnet. */
function namesRanges(ipam: object | null | undefined): boolean {
	return typeof ipam === 'object' && ipam !== null && ('ranges' in ipam || 'subnet' in ipam);
}

/** Makes an ADD, unless a variable says otherwise, with the names that the pages use. */
export function documentedCall(host: Host, container: Namespace, change: Change): Answer {
	const { members: { ipam, ...members } = {}, variables = {}, input, agentFile } = change;
	const file = `${host.directory}/agent.json`;
	mkdirSync(host.directory, { recursive: true });
	if (agentFile !== undefined) writeFileSync(file, agentFile);
	const ours = {
		type: 'mesos-overlay-ipam',
		...(agentFile === undefined && !namesRanges(ipam) && { agentSubnet: '9.0.1.0/26' }),
		dataDir: host.dataDir,
		agentFile: file,
	};
	const configuration = {
		cniVersion: '1.1.0',
		name: 'dcos',
		type: 'mesos-overlay',
		natDir: host.natDir,
		...members,
		ipam: ipam === null || Array.isArray(ipam) ? ipam : { ...ours, ...ipam },
	};
	return invoke(host, {
		command: 'ADD',
		containerId: 'example',
		netns: container.path,
		ifname: 'eth0',
		path: toolDirectory,
		environment: variables,
		configuration: input ?? configuration,
	});
}

/** Puts the paths that the pages use in place of those of the test. */
export function asDocumented(text: string, host: Host, container: Namespace): string {
	return text
		.replaceAll(host.dataDir, '/run/mesos-overlay/leases')
		.replaceAll(host.directory, '/run/mesos-overlay')
		.replaceAll(container.path, '/run/netns/blue')
		.replaceAll(toolDirectory, '/opt/cni/bin');
}
