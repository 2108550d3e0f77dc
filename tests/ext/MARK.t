*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j MARK --set-xmark 0x3/0x7 ; = ; OK
-j MARK --set-xmark 5 ; -j MARK --set-xmark 0x5/0xffffffff ; OK
-j MARK --set-mark 5 ; -j MARK --set-xmark 0x5/0xffffffff ; OK
# or is a mask with its own bits, and is the other bits, xor no mask at all
-j MARK --set-mark 0x10/0x1 ; -j MARK --set-xmark 0x10/0x11 ; OK
-j MARK --or-mark 0x20 ; -j MARK --set-xmark 0x20/0x20 ; OK
-j MARK --and-mark 0xff ; -j MARK --set-xmark 0x0/0xffffff00 ; OK
-j MARK --xor-mark 9 ; -j MARK --set-xmark 0x9/0x0 ; OK
-j MARK ; ; FAIL
-j MARK --set-mark ; ; FAIL
-j MARK --set-mark 1/2/3 ; ; FAIL
-j MARK --set-mark 4294967296 ; ; FAIL
-j MARK --and-mark 1/1 ; ; FAIL
-j MARK --set-mark 1 --or-mark 2 ; ; FAIL
-j MARK --or-mark 1 --or-mark 2 ; ; FAIL
-j MARK ! --set-mark 1 ; ; FAIL
*filter
:INPUT
-j MARK --set-xmark 0x1/0xffffffff ; = ; OK
