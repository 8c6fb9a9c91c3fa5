// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

StandardDescriptors.ensureOpen()
exit(ProxyProgram.run())
