using System.Net;
using System.Text;
using System.Text.Json;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>
/// A settings file that is damaged, away or half written while the app runs. Names and terms come from environment variables, the CA from
/// the file; a file below it names another CA, as a base file that names a staging CA does.
/// </summary>
public sealed class SettingsFileTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("deleted", true)]
    [InlineData("deleted", false)]
    [InlineData("cut:0", true)]
    [InlineData("cut:1", true)]
    [InlineData("cut:40", false)]
    [InlineData("cut:-3", true)]
    [InlineData("cut:-1", false)]
    [InlineData("renamed", true)]
    [InlineData("other settings only", true)]
    [InlineData("other settings only", false)]
    [InlineData("an empty section", true)]
    [InlineData("null", true)]
    [InlineData("CA left out", true)]
    [InlineData("CA empty", false)]
    [InlineData("binary", true)]
    [InlineData("folder", true)]
    public async Task File_DamagedAndRestored_NothingGoesToAnotherAuthority(string damage, bool withBaseFile)
    {
        await using var running = await Running.StartAsync(withBaseFile);
        var before = running.Authority.DisplayName;

        Damage(running, damage);
        await running.SeesAsync(null);
        await running.SettlesAsync(
            () => running.App.Log.Has("ConfigurationSourceLost") || running.App.Log.Has("ConfigurationKeysKept"), "a warning");
        await running.App.Certificates.RenewAsync(Name, Cancelled);
        running.AssertOnlyItsAuthorityWasAsked(certificates: 2);
        Assert.Equal(before, running.Authority.DisplayName);

        running.Restore();
        await running.SeesAsync("1");
        await running.App.Certificates.RenewAsync(Name, Cancelled);
        running.AssertOnlyItsAuthorityWasAsked(certificates: 3);
        Assert.Equal(before, running.Authority.DisplayName);
    }

    [Theory]
    [InlineData("link to itself", true)]
    [InlineData("link to itself", false)]
    [InlineData("no permission", true)]
    public async Task File_CannotBeOpened_NothingGoesToAnotherAuthority(string damage, bool withBaseFile)
    {
        Assert.SkipWhen(damage == "no permission" && Environment.IsPrivilegedProcess, "The superuser may read every file.");
        await using var running = await Running.StartAsync(withBaseFile);

        Damage(running, damage);
        await running.SettlesAsync(() => true, "some time");
        await running.App.Certificates.RenewAsync(Name, Cancelled);
        running.Replace(Running.Text(running.Fixture, marker: "2"));
        await running.SeesAsync("2");
        await running.App.Certificates.RenewAsync(Name, Cancelled);

        running.AssertOnlyItsAuthorityWasAsked(certificates: 3);
    }

    [Fact]
    public async Task File_WrittenInTwoHalves_NothingGoesToAnotherAuthority()
    {
        await using var running = await Running.StartAsync(withBaseFile: true);
        var whole = Running.Text(running.Fixture, marker: "2");

        File.WriteAllText(running.Path, whole[..(whole.Length / 2)]);
        await running.SeesAsync(null);
        await running.App.Certificates.RenewAsync(Name, Cancelled);
        File.AppendAllText(running.Path, whole[(whole.Length / 2)..]);
        await running.SeesAsync("2");
        await running.App.Certificates.RenewAsync(Name, Cancelled);

        running.AssertOnlyItsAuthorityWasAsked(certificates: 3);
        await running.SettlesAsync(() => running.App.Log.Has("ConfigurationSourceBack"), "the line that the file is back");
    }

    [Fact]
    public async Task File_NamesTheOtherAuthorityAfterItWasAway_ThatOneIsUsedAndNamed()
    {
        await using var running = await Running.StartAsync(withBaseFile: false);
        File.Delete(running.Path);
        await running.SeesAsync(null);

        File.WriteAllText(running.Path, Running.Text(running.Other, marker: "2"));
        await running.SeesAsync("2");
        await running.SettlesAsync(() => running.Authority.DirectoryUrl == running.Other.Authority.DirectoryUrl, "the other CA");
        await running.App.Certificates.RenewAsync(Name, Cancelled);

        Assert.Single(running.Other.Authority.Issued);
        var used = running.App.Log.Lines.Last(line => line.Event.Name == "ConfigurationReloaded");
        Assert.Contains(running.Authority.DisplayName, used.Message, StringComparison.Ordinal);
    }

    private static void Damage(Running running, string damage)
    {
        var (path, text) = (running.Path, File.ReadAllText(running.Path));
        switch (damage)
        {
            case "deleted":
                File.Delete(path);
                break;
            case "renamed":
                running.Replace("{ \"AcmeHttps\": ");
                break;
            case "other settings only":
                running.Replace("""{ "Logging": { "LogLevel": { "Default": "Information" } } }""");
                break;
            case "an empty section":
                running.Replace("""{ "AcmeHttps": {} }""");
                break;
            case "null":
                running.Replace("""{ "AcmeHttps": null }""");
                break;
            case "CA left out":
                running.Replace("""{ "AcmeHttps": { "EmailAddress": "other@example.com" } }""");
                break;
            case "CA empty":
                running.Replace("""{ "AcmeHttps": { "DirectoryUrl": "", "EmailAddress": "other@example.com" } }""");
                break;
            case "binary":
                File.WriteAllBytes(path, [0, 1, 2, 3, 255, 254, 0, 0, 0, 0]);
                break;
            case "folder":
                File.Delete(path);
                Directory.CreateDirectory(path);
                break;
            case "link to itself":
                File.Delete(path);
                File.CreateSymbolicLink(path, path);
                break;
            case "no permission":
                if (!OperatingSystem.IsWindows())
                {
                    File.SetUnixFileMode(path, UnixFileMode.None);
                }

                File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(1));
                break;
            default:
                var length = int.Parse(damage["cut:".Length..], System.Globalization.CultureInfo.InvariantCulture);
                using (var file = File.OpenWrite(path))
                {
                    file.SetLength(length < 0 ? Encoding.UTF8.GetByteCount(text) + length : length);
                }

                break;
        }
    }

    /// <summary>An app with settings in files and in environment variables of its own prefix, whose reloads a fake clock settles.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly FakeTimeProvider _time = new();
        private readonly TemporaryFolder _folder = new();
        private readonly string _prefix = $"SETTINGSFILE{Guid.NewGuid():N}_";

        public required LocalFixture Fixture { get; init; }

        public required LocalFixture Other { get; init; }

        public AcmeApp App { get; private set; } = null!;

        public string Path => _folder.Combine("appsettings.Production.json");

        public AuthoritySpecification Authority => App.Services.GetRequiredService<ConfigurationSource>().Current.Authorities[0];

        public static async Task<Running> StartAsync(bool withBaseFile)
        {
            var running = new Running { Fixture = await LocalFixture.StartAsync(), Other = await LocalFixture.StartAsync() };
            await running.StartAppAsync(withBaseFile);
            return running;
        }

        public static string Text(LocalFixture fixture, string marker) => JsonSerializer.Serialize(new
        {
            Marker = marker,
            AcmeHttps = new
            {
                DirectoryUrl = fixture.Authority.DirectoryUrl.ToString(),
                TrustedRootsPath = fixture.RootPath,
                EmailAddress = "ops@example.com",
            },
        });

        /// <summary>Writes the file anew beside the old one, and puts it in its place.</summary>
        public void Replace(string text)
        {
            var next = Path + ".new";
            File.WriteAllText(next, text);
            File.Move(next, Path, overwrite: true);
        }

        public void Restore()
        {
            if (Directory.Exists(Path))
            {
                Directory.Delete(Path);
            }

            Replace(Text(Fixture, marker: "1"));
        }

        /// <summary>Waits until the file's provider has what the file says, and lets the reload of it settle.</summary>
        public Task SeesAsync(string? marker)
            => SettlesAsync(() => App.Services.GetRequiredService<IConfiguration>()["Marker"] == marker, "the file's provider to see it");

        public async Task SettlesAsync(Func<bool> condition, string what)
        {
            await Poll.UntilAsync(
                () =>
                {
                    _time.Advance(TimeSpan.FromMinutes(1));
                    return condition();
                },
                $"{what}\n{App.Log}", cancellationToken: Cancelled);
            _time.Advance(TimeSpan.FromMinutes(10));
        }

        public void AssertOnlyItsAuthorityWasAsked(int certificates)
        {
            Assert.Equal(certificates, Fixture.Authority.Issued.Count);
            Assert.Empty(Other.Authority.Requests);
            Assert.Equal(Fixture.Authority.DirectoryUrl, Authority.DirectoryUrl);
        }

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            await Fixture.DisposeAsync();
            await Other.DisposeAsync();
            Variable("AcmeHttps__DomainNames__0", null);
            Variable("AcmeHttps__AcceptTermsOfService", null);
            Variable("AcmeHttps__StoragePath", null);
            _folder.Dispose();
        }

        private async Task StartAppAsync(bool withBaseFile)
        {
            var http = new IPEndPoint(IPAddress.Loopback, FreePort.Tcp());
            Fixture.Authority.Resolve(Name, http);
            Other.Authority.Resolve(Name, http);
            Variable("AcmeHttps__DomainNames__0", Name);
            Variable("AcmeHttps__AcceptTermsOfService", "true");
            Variable("AcmeHttps__StoragePath", Fixture.StorePath);
            if (withBaseFile)
            {
                var text = Text(Other, marker: "").Replace("\"Marker\":\"\"", "\"Base\":1", StringComparison.Ordinal);
                _folder.Write("appsettings.json", text);
            }

            File.WriteAllText(Path, Text(Fixture, marker: "1"));
            App = await Fixture.StartAppAsync(
                new() { ["urls"] = $"http://{http};https://127.0.0.1:0" },
                acme => acme.Services.SetReloaderClock(_time),
                builder =>
                {
                    QuickIssuance.Apply(builder);
                    builder.Configuration.AddJsonFile(_folder.Combine("appsettings.json"), optional: true, reloadOnChange: true);
                    builder.Configuration.AddJsonFile(Path, optional: true, reloadOnChange: true);
                    builder.Configuration.AddEnvironmentVariables(_prefix);
                });
            await App.ObtainedAsync(Name);
        }

        private void Variable(string name, string? value) => Environment.SetEnvironmentVariable(_prefix + name, value);
    }
}
