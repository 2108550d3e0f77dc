:INPUT,FORWARD,OUTPUT
-m bpf --bytecode "1,6 0 0 1" ; = ; OK
-m bpf --bytecode "1,6 0 0 1," ; -m bpf --bytecode "1,6 0 0 1" ; OK
-m bpf --bytecode " 1,  6  0 0 65535 , " ; ; FAIL
-m bpf --bytecode "4,48 0 0 9,21 0 1 17,6 0 0 1,6 0 0 0" ; = ; OK
# a filter as tcpdump -ddd makes it, with jumps, a header length and arithmetic
-m bpf --bytecode "8,48 0 0 0,84 0 0 240,21 0 4 64,177 0 0 0,72 0 0 2,21 0 1 53,6 0 0 65535,6 0 0 0" ; = ; OK
-m bpf --bytecode "2,6 0 0 1" ; ; FAIL
-m bpf --bytecode "1,6 0 0 1,6 0 0 0" ; ; FAIL
-m bpf --bytecode "0," ; ; FAIL
-m bpf --bytecode "65,6 0 0 1" ; ; FAIL
-m bpf --bytecode "1,6 0 1" ; ; FAIL
# what the kernel's check refuses: no return at the end, a jump too far, division by 0, a cell never written
-m bpf --bytecode "1,48 0 0 9" ; ; FAIL
-m bpf --bytecode "2,21 1 0 6,6 0 0 1" ; ; FAIL
-m bpf --bytecode "2,52 0 0 0,6 0 0 1" ; ; FAIL
-m bpf --bytecode "2,96 0 0 3,22 0 0 0" ; ; FAIL
-m bpf --bytecode "2,255 0 0 0,6 0 0 1" ; ; FAIL
-m bpf --object-pinned /sys/fs/bpf/none ; ; FAIL
-m bpf ; ; FAIL
