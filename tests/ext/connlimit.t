:INPUT,FORWARD,OUTPUT
@4
-m connlimit --connlimit-above 16 ; -m connlimit --connlimit-above 16 --connlimit-mask 32 --connlimit-saddr ; OK
-m connlimit --connlimit-upto 16 --connlimit-mask 24 --connlimit-daddr ; = ; OK
-m connlimit ! --connlimit-above 16 --connlimit-mask 0 ; -m connlimit --connlimit-upto 16 --connlimit-mask 0 --connlimit-saddr ; OK
-m connlimit ! --connlimit-upto 0x10 --connlimit-mask 255.255.0.0 ; -m connlimit --connlimit-above 16 --connlimit-mask 16 --connlimit-saddr ; OK
# a number above 32 is read as a mask spelt out, here 0.0.0.33
-m connlimit --connlimit-above 1 --connlimit-mask 33 ; -m connlimit --connlimit-above 1 --connlimit-mask 0 --connlimit-saddr ; OK
@6
-m connlimit --connlimit-above 16 ; -m connlimit --connlimit-above 16 --connlimit-mask 128 --connlimit-saddr ; OK
-m connlimit --connlimit-upto 16 --connlimit-mask 64 --connlimit-daddr ; = ; OK
-m connlimit --connlimit-upto 16 --connlimit-mask ffff:ffff:: ; -m connlimit --connlimit-upto 16 --connlimit-mask 32 --connlimit-saddr ; OK
-m connlimit --connlimit-upto 1 --connlimit-above 2 ; ; FAIL
-m connlimit --connlimit-above 1 --connlimit-mask x ; ; FAIL
-m connlimit --connlimit-above ten ; ; FAIL
-m connlimit --connlimit-above 1 ! --connlimit-mask 24 ; ; FAIL
-m connlimit --connlimit-above 1 --connlimit-daddr --connlimit-saddr ; ; FAIL
-m connlimit --connlimit-mask 24 ; ; FAIL
