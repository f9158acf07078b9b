import test from 'ava';
import { ensureHostRoutes, unroutedSubnets } from '../../src/bridge/host-routes.ts';
import { findLink } from '../../src/netlink/link.ts';
import { refuses } from '../cni/assertions.ts';
import { undoing } from './configurations.ts';
import { fakeHost, type FakeHost, RTM } from './fake-host.ts';

const four = { address: '9.0.1.5', subnet: '9.0.1.0/27', gateway: '169.254.40.7' };
const six = { address: 'fd00::5', subnet: 'fd00::/65', gateway: 'fe80::1' };

function ensure(host: FakeHost, routed = [four, six], isShared = () => false) {
	const steps = undoing();
	const link = findLink(host.connection, 'm-dcos')!;
	host.story.length = 0;
	ensureHostRoutes({ host: host.connection, link, isShared }, routed, steps.undo);
	return steps;
}

test('each subnet is routed to the bridge, from its gateway address', (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	t.deepEqual(ensure(host).names, ['route 9.0.1.0/27 through "m-dcos"', 'route fd00::/65 through "m-dcos"']);
	t.deepEqual(host.link('m-dcos')?.routes, ['9.0.1.0/27 169.254.40.7', 'fd00::/65 fe80::1']);
});

test('what is routed already costs one question an address', (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	ensure(host);
	t.deepEqual(ensure(host).names, []);
	t.deepEqual(host.story, ['looking up the way to 9.0.1.5', 'looking up the way to fd00::5']);
});

test('without routed addresses, nothing is asked', (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	ensure(host, []);
	t.deepEqual(host.story, []);
});

test('a wider route elsewhere is no obstacle', (t) => {
	const host = fakeHost({ name: 'm-dcos' }, { name: 'eth0', kind: '', routes: ['0.0.0.0/0 -'] });
	ensure(host, [four]);
	t.deepEqual(host.link('m-dcos')?.routes, ['9.0.1.0/27 169.254.40.7']);
});

test('a route to the same subnet elsewhere is not touched', (t) => {
	const host = fakeHost({ name: 'm-dcos' }, { name: 'eth1', kind: '', routes: ['9.0.1.0/27 -'] });
	const said = 'routing 9.0.1.0/27 to "m-dcos": the host has another route to it, through "eth1"; remove that';
	refuses(t, () => ensure(host, [four]), 100, said);
	t.deepEqual([host.link('m-dcos')?.routes, host.link('eth1')?.routes], [[], ['9.0.1.0/27 -']]);
});

test('a route that another ADD sets at the same time is not ours to remove', (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	host.before(RTM.newRoute, () => host.link('m-dcos')!.routes.push('9.0.1.0/27 169.254.40.7'));
	t.deepEqual(ensure(host, [four]).names, []);
});

test('undoing removes the route, unless others use it by then, or the bridge is gone', async (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	let shared = true;
	const steps = ensure(host, [four], () => shared);
	await steps.run();
	t.is(host.link('m-dcos')?.routes.length, 1);
	shared = false;
	await steps.run();
	t.deepEqual(host.link('m-dcos')?.routes, []);
	await t.notThrowsAsync(() => steps.run());
	host.remove('m-dcos');
	await t.notThrowsAsync(() => steps.run());
});

test('the subnets that are not routed to the bridge, each once', (t) => {
	const host = fakeHost({ name: 'm-dcos' }, { name: 'eth1', kind: '', routes: ['fd00::/65 -'] });
	const unrouted = () => unroutedSubnets(host.connection, findLink(host.connection, 'm-dcos')!, [four, four, six]);
	t.deepEqual(unrouted(), ['9.0.1.0/27', 'fd00::/65']);
	ensure(host, [four]);
	t.deepEqual(unrouted(), ['fd00::/65']);
});
