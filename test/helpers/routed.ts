// Networks with `"addressing": "routed"`.
import type { ExecutionContext } from 'ava';
import { attach, type Attached, type AttachOptions } from './attach.ts';
import type { Result } from './cni.ts';
import type { Host } from './host.ts';
import type { Namespace } from './namespace.ts';
import type { Configuration, Family } from './network-configuration.ts';

/** The half of each family, which has 32 addresses. */
export const routedHalf = {
	4: { subnet: '9.0.1.0/27', first: '9.0.1.0', last: '9.0.1.31', bits: 32 },
	6: { subnet: 'fd00:9::1:0/123', first: 'fd00:9::1:0', last: 'fd00:9::1:1f', bits: 128 },
} as const;

/** What `ipam` has to say for it. */
export function routedIpam(family: Family, more: Configuration = {}): Configuration {
	return {
		addressing: 'routed',
		agentSubnet: family === 'IPv6' ? undefined : '9.0.1.0/26',
		...(family !== 'IPv4' && { agentSubnet6: 'fd00:9::1:0/122', prefix6: 122 }),
		...more,
	};
}

/** ADDs a container to such a network of the host; `keys` are those of the network, and of its `ipam`. */
export function attachRouted(
	t: ExecutionContext,
	host: Host,
	family: Family,
	keys: Configuration = {},
	options: AttachOptions = {},
): Attached {
	return attach(t, host, { ...keys, ipam: routedIpam(family, keys['ipam'] as Configuration) }, options);
}

/** The container's address of a family. */
export function addressOf({ ips }: Result, family: 4 | 6): string {
	return findIp(ips, family).address.replace(/\/.*/u, '');
}

/** Its gateway, as it is to be written inside the container. */
export function gatewayOf({ ips }: Result, family: 4 | 6): string {
	const gateway = findIp(ips, family).gateway ?? '';
	return gateway.startsWith('fe80:') ? `${gateway}%eth0` : gateway;
}

function findIp(ips: Result['ips'], family: 4 | 6): Result['ips'][number] {
	const found = ips.find(({ address }) => address.includes(':') === (family === 6));
	if (found === undefined) throw new Error(`no IPv${family} address in ${JSON.stringify(ips)}`);
	return found;
}

/** Sets a kernel parameter of all interfaces of a namespace, those that are there and those to come. */
export function setOfAll(namespace: Namespace, family: 4 | 6, parameter: string, value: number): void {
	const files = `/proc/sys/net/ipv${family}/conf/*/${parameter}`;
	namespace.must(['sh', '-c', `for file in ${files}; do echo ${value} > $file; done`]);
}
