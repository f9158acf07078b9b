// GC: removes the attachments of a network of which the caller says that they are no longer valid.

import type { Request } from '../cni/request.ts';
import { hostInterfaceName, ifbName } from '../linux/host-interface-name.ts';
import { note } from '../linux/standard-error.ts';
import { collectNat } from '../nat/gc.ts';
import { listIfbs } from '../netlink/ifb.ts';
import { deleteLink, findLink, type Link, listVeths } from '../netlink/link.ts';
import { NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';
import { addressManager } from './address-manager.ts';
import { bridgeNameOf } from './configuration.ts';
import { attempts } from './failures.ts';
import { belongsToNetwork, isHostInterfaceName } from './names.ts';
import { natDirectoryForDel } from './nat.ts';

/**
 * Removes what is not in `validAttachments`; without such a list, nothing, since an absent list may also mean that the
 * caller has none. Goes on after a failure, and throws them all at the end. CNI SPEC 1.1 §2 "GC"
 */
export async function gc(request: Request): Promise<void> {
	const { validAttachments, name: network } = request.configuration;
	const failures = attempts('GC');
	if (validAttachments === undefined) {
		note('GC: the caller gave no list of valid attachments ("cni.dev/valid-attachments"), so nothing is removed');
	} else {
		const valid = new Set(validAttachments.flatMap((each) => [hostInterfaceName(each), ifbName(each)]));
		const host = openConnection(NETLINK_ROUTE, request.deadline);
		const bridge = findLink(host, bridgeNameOf(request.configuration));
		for (const link of [...listVeths(host), ...listIfbs(host)]) {
			if (valid.has(link.name) || !isOfNetwork(link, network, bridge)) continue;
			await failures.attempt(() => {
				if (deleteLink(host, link)) note(`GC: removed interface "${link.name}" ("${link.alias}")`);
			});
		}
		await failures.attempt(() => {
			const directory = natDirectoryForDel(request.configuration);
			return collectNat(directory, network, validAttachments, request.deadline);
		});
	}
	await failures.attempt(() => addressManager(request).gc(request));
	failures.report();
}

/** A port without an alias is what an ADD leaves that was killed in the middle. */
function isOfNetwork(port: Link, network: string, bridge: Link | undefined): boolean {
	const unfinished = port.alias === '' && isHostInterfaceName(port.name) && port.master === bridge?.index;
	return belongsToNetwork(port.alias, network) || unfinished;
}
