:FORWARD
-m physdev --physdev-in eth0 ; = ; OK
-m physdev --physdev-out vnet+ ! --physdev-in tap0 ; -m physdev ! --physdev-in tap0 --physdev-out vnet+ ; OK
-m physdev --physdev-is-bridged --physdev-is-out --physdev-is-in ; -m physdev --physdev-is-in --physdev-is-out --physdev-is-bridged ; OK
-m physdev ! --physdev-is-in ! --physdev-is-out ! --physdev-is-bridged ; = ; OK
-m physdev --physdev-in abcdefghijklmno ; = ; OK
-m physdev --physdev-in abcdefghijklmnop ; ; FAIL
-m physdev --physdev-in eth0 --physdev-in eth1 ; ; FAIL
-m physdev ; ; FAIL
:OUTPUT
-m physdev --physdev-in eth0 ; = ; OK
-m physdev --physdev-out eth0 --physdev-is-bridged ; = ; OK
# before routing nobody knows of a bridge
-m physdev --physdev-out eth0 ; ; FAIL
-m physdev ! --physdev-is-out ; ; FAIL
-m physdev --physdev-out eth0 ! --physdev-is-bridged ; ; FAIL
