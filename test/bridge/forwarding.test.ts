import test, { type ExecutionContext } from 'ava';
import { ensureForwarding, isForwarding } from '../../src/bridge/forwarding.ts';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { ensureSysctl, readSysctl } from '../../src/linux/sysctl.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';

/** A host of its own, which does not forward, with some bridges. */
function createHost(t: ExecutionContext, ...bridges: readonly string[]) {
	const namespace = createNamespace(t, 'forwarding');
	for (const bridge of bridges) namespace.must(['ip', 'link', 'add', bridge, 'type', 'bridge']);
	const opened = openNetworkNamespace(namespace.path);
	t.teardown(() => opened.close());
	opened.run(() => ensureSysctl('ipv4/ip_forward', '0'));
	return opened;
}

test.serial('IPv4 is forwarded for an IPv4 gateway, and left so', (t) => {
	const host = createHost(t);
	t.false(host.run(() => isForwarding(4)));
	host.run(() => ensureForwarding([]));
	t.false(host.run(() => isForwarding(4)));
	host.run(() => ensureForwarding(['9.0.1.1/27', '9.0.2.1/27']));
	t.true(host.run(() => isForwarding(4)));
	host.run(() => ensureForwarding([]));
	t.true(host.run(() => isForwarding(4)));
});

testOn('ipv6', 'IPv6 is forwarded for an IPv6 gateway only', (t) => {
	const host = createHost(t);
	host.run(() => ensureForwarding(['9.0.1.1/27']));
	t.false(host.run(() => isForwarding(6)));
	host.run(() => ensureForwarding(['9.0.1.1/27', 'fd00::1/64']));
	t.true(host.run(() => isForwarding(6)));
});

testOn('ipv6', 'devices that listen to routers go on listening, and others do not begin to', (t) => {
	const host = createHost(t, 'listening', 'deaf');
	const acceptRa = (link: string) => host.run(() => readSysctl(`ipv6/conf/${link}/accept_ra`));
	host.run(() => {
		ensureSysctl('ipv6/conf/listening/accept_ra', '1');
		ensureSysctl('ipv6/conf/deaf/accept_ra', '0');
		ensureForwarding(['fd00::1/64']);
	});
	t.deepEqual([acceptRa('listening'), acceptRa('deaf')], ['2', '0']);
	t.deepEqual([acceptRa('default'), acceptRa('lo')], ['1', '1']);
	host.run(() => {
		ensureSysctl('ipv6/conf/listening/accept_ra', '1');
		ensureForwarding(['fd00::1/64']);
	});
	t.is(acceptRa('listening'), '1', 'a host that forwards already is not touched');
});
