import { statSync } from 'node:fs';
import test from 'ava';
import { toCniError } from '../../src/cni/errors.ts';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { ensureSysctl, hasSysctl, readSysctl, SysctlError } from '../../src/linux/sysctl.ts';
import { createNamespace } from '../helpers/namespace.ts';

const FORWARDING = 'ipv4/ip_forward';

test.serial('parameters are those of the namespace in which they are set', (t) => {
	const outside = readSysctl(FORWARDING);
	const namespace = openNetworkNamespace(createNamespace(t, 'sysctl').path);
	t.teardown(() => namespace.close());
	for (const value of ['1', '0']) {
		namespace.run(() => ensureSysctl(FORWARDING, value));
		t.is(
			namespace.run(() => readSysctl(FORWARDING)),
			value,
		);
	}
	t.is(readSysctl(FORWARDING), outside);
});

test.serial('a parameter that has its value already is not written', (t) => {
	// Which the kernel would refuse: the file is read-only, even for root.
	const name = 'ipv4/tcp_available_congestion_control';
	t.is(statSync(`/proc/sys/net/${name}`).mode & 0o222, 0);
	t.notThrows(() => ensureSysctl(name, readSysctl(name)));
	const error = t.throws(() => ensureSysctl(name, 'none'), { instanceOf: SysctlError });
	t.regex(error.message, /^setting kernel parameter net\/ipv4\/tcp_available_congestion_control to none: E[A-Z]+$/);
});

test.serial('a parameter that is not there', (t) => {
	t.true(hasSysctl(FORWARDING));
	t.false(hasSysctl('ipv4/no_such_parameter'));
	const error = t.throws(() => readSysctl('ipv4/no_such_parameter'), { instanceOf: SysctlError });
	t.is(error.message, 'reading kernel parameter net/ipv4/no_such_parameter: ENOENT');
	t.is(error.code, 'ENOENT');
	t.is(toCniError(error).code, 100);
	t.true(error.cause instanceof Error);
	t.throws(() => ensureSysctl('ipv4/no_such_parameter', '1'), { message: /^reading kernel parameter .*: ENOENT$/ });
});

test.serial('a value that the kernel does not take', (t) => {
	const namespace = openNetworkNamespace(createNamespace(t, 'sysctl').path);
	t.teardown(() => namespace.close());
	t.throws(() => namespace.run(() => ensureSysctl(FORWARDING, 'yes')), {
		message: 'setting kernel parameter net/ipv4/ip_forward to yes: EINVAL',
	});
});
