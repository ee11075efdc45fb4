package storetest

import "syscall"

// dieWithParent ends a program when the test that started it ends, however.
func dieWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
