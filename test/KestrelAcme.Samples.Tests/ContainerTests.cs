using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Samples.Tests;

/// <summary>
/// samples/Container as a container runs it, without a container engine: another user without capabilities, every file system
/// read-only except the volume, and the variables of the Dockerfile and of its base image.
/// </summary>
[Long]
public sealed class ContainerTests : IDisposable
{
    private const string Name = "container.example";
    private const string User = "1654";

    // Makes the volume a mount of its own and everything else read-only. The end of this process ends the mounts.
    private const string Contain = """
        volume=$1 app=$2
        shift 2
        mount --make-rprivate /
        mount --bind "$volume" "$volume"
        awk '{ print $5 }' /proc/self/mountinfo | while read -r mount; do
          case $mount in
            "$volume" | /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) ;;
            *) mount -o remount,bind,ro "$mount" ;;
          esac
        done
        if touch "$app/probe" /tmp/probe 2> /dev/null; then
          echo 'a file system is still writable'
          exit 97
        fi
        cd "$app"
        exec setpriv --reuid=1654 --regid=1654 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all --pdeathsig=KILL -- "$@"
        """;

    // With fsGroupChangePolicy: OnRootMismatch, Kubernetes looks at the volume's root only.
    private const string KubernetesVolume = """
        if [ "$(stat -c %g:%a "$1")" != 1654:2775 ]; then
          chgrp -R 1654 "$1"
          chmod -R g+rw "$1"
          find "$1" -type d -exec chmod g+sx {} +
        fi
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly int _http = FreePort.Tcp();
    private readonly int _https = FreePort.Tcp();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a volume of Docker, with the owner of the image's folder", "chown 1654:1654 $1")]
    [InlineData("a volume of Kubernetes, with fsGroup", KubernetesVolume)]
    public async Task Start_ReadOnlyAndWithoutPrivileges_IssuesAndServesAgainAfterARestart(string volume, string prepare)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Mount namespaces are a feature of Linux.");
        var (store, app) = await PrepareAsync();
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { HttpPort = _http }, Cancelled);
        var root = await pebble.GetIssuingRootPemAsync(cancellationToken: Cancelled);
        var roots = Path.Combine(app, "roots.pem");
        await File.WriteAllTextAsync(roots, pebble.TrustedRootsPem, Cancelled);
        await ShellAsync(prepare, store);
        string first;
        await using (var before = Start(store, app, pebble, roots))
        {
            first = await ServedAsync(root, before);
            using var client = new HttpClient();
            Assert.Equal("ready\n", await client.GetStringAsync(new Uri($"http://127.0.0.1:{_http}/healthz"), Cancelled));
            Assert.True(await before.StopAsync(cancellationToken: Cancelled) && before.ExitCode == 0, before.Output);
            AssertQuiet(volume, before);
        }

        var keys = await ShellAsync("find $1 -type f -name '*.pem' -printf '%U %m\\n' | sort -u", store);
        await ShellAsync(prepare, store);
        await using var after = Start(store, app, pebble, roots);

        Assert.Equal($"{User} 600", keys.Trim());
        Assert.Equal(first, await ServedAsync(root, after));
        Assert.Single(pebble.Output.Split('\n'), line => line.Contains("Issued certificate serial", StringComparison.Ordinal));
        Assert.True(await after.StopAsync(cancellationToken: Cancelled) && after.ExitCode == 0, after.Output);
        AssertQuiet(volume, after);
    }

    // The test itself connects before the first certificate is there, which is worth a warning.
    private static void AssertQuiet(string volume, ChildProcess app)
        => Assert.False(
            app.Lines.Any(line => line.StartsWith("fail:", StringComparison.Ordinal)
                || (line.StartsWith("warn:", StringComparison.Ordinal) && !line.Contains("TlsSelector[1302]", StringComparison.Ordinal))),
            $"{volume}:\n{app.Output}");

    private async Task<(string Store, string App)> PrepareAsync()
    {
        RequireServer.Installed("setpriv", "util-linux");
        RequireServer.Installed("unshare", "util-linux");
        var (store, app) = (_folder.Combine("volume"), _folder.Combine("app"));
        await ShellAsync(
            "cp -r $1 $2; chmod -R a+rX $2; mkdir $3; chmod 755 $3 $4", BuiltSample.Output("Container"), app, store, _folder.Path);
        var trial = await Command.RunAsync("unshare", Contained(store, app, "true"), cancellationToken: Cancelled);
        if (trial.ExitCode != 0)
        {
            RequireServer.Missing($"A read-only file system for another user cannot be made here: {trial.Output.Trim()}");
        }

        return (store, app);
    }

    private ChildProcess Start(string store, string app, PebbleServer pebble, string roots)
    {
        var environment = new Dockerfile(Path.Combine(BuiltSample.Folder("Container"), "Dockerfile")).Environment;
        environment["ASPNETCORE_HTTP_PORTS"] = $"{_http}";
        environment["ASPNETCORE_HTTPS_PORTS"] = $"{_https}";
        environment["AcmeHttps__StoragePath"] = store;

        // What the base image sets.
        environment["DOTNET_RUNNING_IN_CONTAINER"] = "true";
        environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "true";
        environment["HOME"] = "/home/app";

        environment["TMPDIR"] = null;
        environment["AcmeHttps__DomainNames__0"] = Name;
        environment["AcmeHttps__AcceptTermsOfService"] = "true";
        environment["AcmeHttps__DirectoryUrl"] = pebble.DirectoryUrl.ToString();
        environment["AcmeHttps__TrustedRootsPath"] = roots;
        return ChildProcess.Start("unshare", Contained(store, app, "dotnet", "Container.dll"), environment);
    }

    private static string[] Contained(string store, string app, params string[] command)
        => ["--mount", "--", "sh", "-ec", Contain, "sh", store, app, .. command];

    private static Task<string> ShellAsync(string script, params string[] arguments)
        => Command.RunToSuccessAsync("sh", ["-ec", script, "sh", .. arguments], cancellationToken: Cancelled);

    /// <returns>The serial number of the certificate that is served and that the CA's root verifies.</returns>
    private async Task<string> ServedAsync(string root, ChildProcess app)
    {
        var serial = "";
        await Poll.UntilAsync(
            async cancellationToken =>
            {
                var chain = await OpenSsl.ShowCertificatesAsync(_https, Name, rootsPem: root, cancellationToken: cancellationToken);
                if (app.HasExited || chain.VerifyReturnCode != "0 (ok)")
                {
                    return app.HasExited;
                }

                using X509Certificate2 leaf = chain.LoadLeaf();
                serial = leaf.SerialNumber;
                return true;
            },
            () => $"a certificate that verifies. Output:\n{app.Output}",
            TimeSpan.FromSeconds(60),
            Cancelled);
        Assert.True(serial.Length > 0, app.Output);
        return serial;
    }
}
