// The networks that this host is in.

import { networkInterfaces } from 'node:os';
import type { UsedSubnet } from '../overlay/configuration-rules.ts';
import { subnetOf } from '../overlay/subnet-text.ts';
import { VTEP } from '../overlay/vtep.ts';

/** The subnets of this host's addresses, but for those on devices that exist for the virtual networks. */
export function hostNetworks(): UsedSubnet[] {
	return Object.entries(networkInterfaces()).flatMap(([device, addresses = []]) =>
		isOurs(device)
			? []
			: addresses
					.filter(({ internal, address }) => !internal && !isLinkLocal(address))
					.map(({ cidr }) => ({ subnet: subnetOf(cidr ?? ''), user: `${device} of this host` })),
	);
}

/** Whether a device is a network's bridge or the VTEP. */
function isOurs(device: string): boolean {
	return /^[md]-/.test(device) || device === VTEP.name;
}

function isLinkLocal(address: string): boolean {
	return /^(?:fe[89ab]|169\.254\.)/i.test(address);
}
