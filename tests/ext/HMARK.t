:INPUT,FORWARD,OUTPUT
@4
-j HMARK --hmark-tuple src --hmark-mod 10 --hmark-rnd 1 ; -j HMARK --hmark-src-prefix 32 --hmark-rnd 0x00000001 --hmark-mod 10 ; OK
-j HMARK --hmark-tuple d,sp,dpo,P --hmark-mod 10 --hmark-rnd 0xabc --hmark-offset 7 ; -j HMARK --hmark-dst-prefix 32 --hmark-sport-mask 0xffff --hmark-dport-mask 0xffff --hmark-proto-mask 0xffff --hmark-rnd 0x00000abc --hmark-mod 10 --hmark-offset 7 ; OK
-j HMARK --hmark-src-prefix 255.255.0.0 --hmark-mod 1 --hmark-rnd 0 ; -j HMARK --hmark-src-prefix 16 --hmark-rnd 0x00000000 --hmark-mod 1 ; OK
-j HMARK --hmark-spi-mask 0xf0 --hmark-spi 5 --hmark-mod 3 --hmark-rnd 2 ; -j HMARK --hmark-spi-mask 0x000000f0 --hmark-spi 0x00000005 --hmark-rnd 0x00000002 --hmark-mod 3 ; OK
-j HMARK --hmark-tuple ct --hmark-mod 3 --hmark-rnd 2 ; -j HMARK --hmark-rnd 0x00000002 --hmark-mod 3 --hmark-tuple ct ; OK
-j HMARK --hmark-sport 1 --hmark-dport 2 --hmark-mod 3 --hmark-rnd 2 ; -j HMARK --hmark-sport 0x0001 --hmark-dport 0x0002 --hmark-rnd 0x00000002 --hmark-mod 3 ; OK
# the tuple counts as the options it stands for
-j HMARK --hmark-tuple src --hmark-src-prefix 8 --hmark-mod 3 --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-src-prefix 8 --hmark-tuple src --hmark-mod 3 --hmark-rnd 2 ; -j HMARK --hmark-src-prefix 32 --hmark-rnd 0x00000002 --hmark-mod 3 ; OK
-j HMARK --hmark-tuple spi,sport --hmark-mod 3 --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-spi 1 --hmark-sport 1 --hmark-mod 3 --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-tuple source --hmark-mod 3 --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-tuple src, --hmark-mod 3 --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-tuple ,src --hmark-mod 3 --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-tuple src --hmark-mod 0 --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-tuple src --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-tuple src --hmark-mod 3 ; ; FAIL
-j HMARK --hmark-mod 3 --hmark-rnd 2 ; ; FAIL
-j HMARK --hmark-src-prefix 255.0.255.0 --hmark-mod 3 --hmark-rnd 2 ; -j HMARK --hmark-src-prefix -1 --hmark-rnd 0x00000002 --hmark-mod 3 ; OK
-j HMARK --hmark-src-prefix x --hmark-mod 3 --hmark-rnd 2 ; ; FAIL
@6
-j HMARK --hmark-tuple src --hmark-dst-prefix 64 --hmark-mod 3 --hmark-rnd 2 ; -j HMARK --hmark-src-prefix 128 --hmark-dst-prefix 64 --hmark-rnd 0x00000002 --hmark-mod 3 ; OK
