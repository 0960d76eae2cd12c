using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Certificates.Persistence;
using KestrelAcme.Tests.Tls;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>
/// A store in which every file was damaged by chance, by seeds that are always the same: the application starts, serves what is still whole
/// without an order, serves nothing else than what the authority issued for the name, and leaves no key that others can read.
/// </summary>
public sealed partial class HostileStoreTests
{
    private static readonly string[] Names = ["a.test", "b.test", "c.test", "d.test", "e.test"];
    private static readonly string[] Defects = ["WorkFailed", "EngineFailed", "EngineNotBegun", "LoadFailed"];

    // What leaves a certificate as it was, as far as it matters.
    private static readonly string[] Harmless = ["nothing", .. StoreDamage.Bookkeeping];
    private static readonly string[] Harmful = ["nul", "empty", "half", "flip", "swap", "link", "pipe", "folder", "planted", "times"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_EveryFileIsDamagedByChance_ServesWhatIsWholeAndNothingElse()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes and modes are Unix's.");
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Names);
        using var stores = new TemporaryFolder();
        for (var seed = 0; seed < 8; seed++)
        {
            var store = stores.Combine($"{seed}");
            await ShellAsync($"cp -a '{fixture.StorePath}' '{store}'");
            var (whole, blocked) = await DamageAsync(store, new Random(seed));
            await StartAsync(fixture, store, whole, blocked, seed);
        }
    }

    private static async Task StartAsync(
        LocalFixture fixture, string store, Dictionary<string, string> whole, HashSet<string> blocked, int seed)
    {
        var settings = fixture.Settings(Names);
        settings["AcmeHttps:StoragePath"] = store;
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);
        foreach (var name in Names)
        {
            var leaf = (await app.ConnectAsync(name, Cancelled)).Leaf;
            var issued = fixture.Authority.Issued.Any(c => c.SerialNumber == leaf.SerialNumber);
            Assert.True(
                issued
                    ? leaf.MatchesHostname(name)
                    : leaf.Subject == leaf.Issuer && !leaf.Subject.Contains("planted", StringComparison.Ordinal),
                $"seed {seed}: {name} is served {leaf.Subject}\n{app.Log}");
            if (whole.TryGetValue(name, out var serial))
            {
                Assert.True(serial == leaf.SerialNumber, $"seed {seed}: {name} is whole, but not served\n{app.Log}");
            }
        }

        // What is lost is ordered; where something else stands in the place of a file, a person has to look.
        await Poll.UntilAsync(
            () => Names.Except(blocked).All(n => app.Certificates.Find(n)!.SerialNumber is not null),
            () => $"seed {seed}: all are served\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.DoesNotContain(
            app.Log.Lines,
            l => l.Event.Name == "OrderStarted" && whole.Keys.Any(n => l.Message.StartsWith(n + ":", StringComparison.Ordinal)));
        Assert.DoesNotContain(app.Log.Lines, l => Defects.Contains(l.Event.Name));
        Assert.DoesNotContain(app.Log.Lines, l => l.Message.Contains("PRIVATE KEY", StringComparison.Ordinal));
        await app.StopAsync(Cancelled);
        foreach (var file in Directory.GetFiles(store, "*", SearchOption.AllDirectories))
        {
            Assert.True(
                !OperatingSystem.IsLinux()
                    || new FileInfo(file).LinkTarget is not null
                    || (File.GetUnixFileMode(file) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) == 0,
                $"seed {seed}: {file} can be read by others");
        }
    }

    /// <returns>The serial numbers of the certificates that are still whole, by name; and the names in whose place there is no
    /// file.</returns>
    private static async Task<(Dictionary<string, string> Whole, HashSet<string> Blocked)> DamageAsync(string store, Random random)
    {
        var whole = new Dictionary<string, string>(StringComparer.Ordinal);
        var blocked = new HashSet<string>(StringComparer.Ordinal);
        var certificates = Directory.GetFiles(Path.Join(store, "certificates"))
            .Order(StringComparer.Ordinal)
            .ToDictionary(f => f, File.ReadAllBytes);
        foreach (var (file, value) in certificates)
        {
            var name = Path.GetFileNameWithoutExtension(file);
            var damage = Pick(random, random.Next(2) == 0 ? Harmless : Harmful);
            if (Harmless.Contains(damage))
            {
                whole[name] = CertificateSnapshot.Read(CertificateFile.Decode(value, new SharedParts())).SerialNumber;
            }

            if (damage is "link" or "pipe" or "folder")
            {
                blocked.Add(name);
            }

            await DamageAsync(file, name, value, damage, certificates, random);
        }

        // Not times that are past: advice to renew then means now.
        foreach (var file in Directory.GetFiles(Path.Join(store, "states"))
            .Concat(Directory.GetFiles(Path.Join(store, "accounts")))
            .Order(StringComparer.Ordinal))
        {
            await DamageAsync(
                file,
                "",
                await File.ReadAllBytesAsync(file, Cancelled),
                Pick(random, ["nothing", "nul", "empty", "half", "bom", "brace", "utf16", "append", "times"]),
                certificates,
                random);
        }

        return (whole, blocked);
    }

    private static async Task DamageAsync(
        string file, string name, byte[] value, string damage, Dictionary<string, byte[]> certificates, Random random)
    {
        switch (damage)
        {
            case "nothing":
                return;
            case "flip":
                for (var i = 0; i < 20; i++)
                {
                    value = [.. value];
                    value[random.Next(value.Length)] ^= (byte)(1 << random.Next(8));
                }

                await File.WriteAllBytesAsync(file, value, Cancelled);
                return;
            case "swap":
                await File.WriteAllBytesAsync(file, certificates.First(c => c.Key != file).Value, Cancelled);
                return;
            case "link":
                await ShellAsync($"ln -sfn {Pick(random, ["/dev/zero", "/nonexistent", "/etc/hostname"])} '{file}'");
                return;
            case "pipe":
                await ShellAsync($"rm '{file}' && mkfifo '{file}'");
                return;
            case "folder":
                await ShellAsync($"rm '{file}' && mkdir '{file}'");
                return;
            case "planted":
                await File.WriteAllBytesAsync(file, Planted(name), Cancelled);
                return;
            case "times":
                var year = Pick(random, ["9999", "2090"]);
                await File.WriteAllBytesAsync(
                    file, Encoding.UTF8.GetBytes(Time().Replace(Encoding.UTF8.GetString(value), $"\"{year}-")), Cancelled);
                return;
            default:
                await File.WriteAllBytesAsync(file, StoreDamage.Apply(damage, value), Cancelled);
                return;
        }
    }

    private static byte[] Planted(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var material = new TestAuthority("planted").Issue(["planted.test"], key);
        return CertificateFile.Encode(new CertificateRecord(material.Chain, material.PrivateKey, new CertificateMetadata
        {
            Names = [name],
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = new Uri("https://127.0.0.1:1/directory"),
            AccountUrl = new Uri("https://127.0.0.1:1/account/1"),
            ObtainedAt = new DateTimeOffset(9000, 1, 1, 0, 0, 0, TimeSpan.Zero),
            Jitter = 0.5,
        }));
    }

    private static string Pick(Random random, string[] all) => all[random.Next(all.Length)];

    private static async Task ShellAsync(string command)
    {
        var result = await Command.RunAsync("sh", ["-c", command], cancellationToken: Cancelled);
        Assert.True(result.ExitCode == 0, result.StandardError);
    }

    [GeneratedRegex("\"\\d{4}-")]
    private static partial Regex Time();
}
