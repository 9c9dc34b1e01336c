# Resources as a signed package for the SDK that the agent is for. The key is thrown away: a real one is a secret of the step.
set -eu
cd "$(dirname "$0")"
aapt package -f -M AndroidManifest.xml -S res -I /usr/share/android-framework-res/framework-res.apk \
  --min-sdk-version 24 --target-sdk-version "$ANDROID_SDK" -F /tmp/unaligned.apk
zipalign -f 4 /tmp/unaligned.apk greeter.apk
keytool -genkeypair -keystore /tmp/key -storepass changeit -alias key -keyalg EC -dname CN=greeter -validity 1
apksigner sign --ks /tmp/key --ks-pass pass:changeit greeter.apk
apksigner verify --verbose greeter.apk
aapt dump badging greeter.apk | grep "targetSdkVersion:'$ANDROID_SDK'"
