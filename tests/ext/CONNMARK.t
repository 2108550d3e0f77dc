*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j CONNMARK --set-mark 7 ; -j CONNMARK --set-xmark 0x7/0xffffffff ; OK
-j CONNMARK --set-mark 0x11/0x0f ; -j CONNMARK --set-xmark 0x11/0x1f ; OK
-j CONNMARK --set-xmark 0x11/0x0f ; -j CONNMARK --set-xmark 0x11/0xf ; OK
-j CONNMARK --and-mark 0xf0 ; -j CONNMARK --set-xmark 0x0/0xffffff0f ; OK
-j CONNMARK --or-mark 4 ; -j CONNMARK --set-xmark 0x4/0x4 ; OK
-j CONNMARK --xor-mark 4 ; -j CONNMARK --set-xmark 0x4/0x0 ; OK
-j CONNMARK --save-mark ; -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff ; OK
-j CONNMARK --restore-mark --mask 0xff ; -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff ; OK
-j CONNMARK --ctmask 1 --save-mark --nfmask 2 ; -j CONNMARK --save-mark --nfmask 0x2 --ctmask 0x1 ; OK
# a later option sets the same mask
-j CONNMARK --ctmask 1 --set-mark 6 ; -j CONNMARK --set-xmark 0x6/0xffffffff ; OK
-j CONNMARK --set-mark 6 --ctmask 1 ; -j CONNMARK --set-xmark 0x6/0x1 ; OK
-j CONNMARK --save-mark --left-shift-mark 8 ; -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff --left-shift-mark 8 ; OK
-j CONNMARK --set-mark 1 --right-shift-mark 31 ; -j CONNMARK --set-xmark 0x1/0xffffffff --right-shift-mark 31 ; OK
-j CONNMARK --set-mark 1 --right-shift-mark 32 ; ; FAIL
-j CONNMARK --set-mark 1 --left-shift-mark 0 ; -j CONNMARK --set-xmark 0x1/0xffffffff ; OK
-j CONNMARK --left-shift-mark 33 --save-mark ; ; FAIL
-j CONNMARK --left-shift-mark 1 ; ; FAIL
-j CONNMARK --mask 1 ; ; FAIL
-j CONNMARK --save-mark --restore-mark ; ; FAIL
-j CONNMARK --set-mark 1 --or-mark 1 ; ; FAIL
-j CONNMARK --save-mark --mask 1 --nfmask 1 ; ; FAIL
-j CONNMARK --set-mark 0x100000000 ; ; FAIL
-j CONNMARK --set-mark 1/ ; ; FAIL
-j CONNMARK ! --save-mark ; ; FAIL
-j CONNMARK ; ; FAIL
*filter
:INPUT
-j CONNMARK --or-mark 1 ; -j CONNMARK --set-xmark 0x1/0x1 ; OK
