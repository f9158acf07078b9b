// Requests as the dispatcher would make them.
import { fieldsOf } from '../../src/cni/fields.ts';
import { readNetworkConfiguration } from '../../src/cni/network-configuration.ts';
import type { Command, Request } from '../../src/cni/request.ts';

export const minimal = { cniVersion: '1.1.0', name: 'dcos', type: 'mesos-overlay' };

/** The configuration that a command gets from these top-level keys. */
export function configurationOf(decoded: Record<string, unknown>, command: Command = 'ADD') {
	return readNetworkConfiguration(decoded, fieldsOf(decoded, '', command === 'DEL'), command);
}

/** An ADD with these top-level keys beside the minimal ones. */
export function requestOf(keys: Record<string, unknown>, rest: Partial<Request> = {}): Request {
	return {
		command: 'ADD',
		containerId: 'c1',
		ifname: 'eth0',
		netns: '/run/netns/c1',
		path: [],
		cniArguments: new Map(),
		environment: {},
		configuration: configurationOf({ ...minimal, ...keys }),
		deadline: performance.now() + 30_000,
		...rest,
	};
}
