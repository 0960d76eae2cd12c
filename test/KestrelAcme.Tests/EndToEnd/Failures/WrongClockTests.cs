using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Failures;

/// <summary>
/// A CA whose own HTTPS certificate is not valid by this machine's clock: whichever of the two is wrong, TLS sees it first.
/// </summary>
public sealed class WrongClockTests : IDisposable
{
    private static readonly (int From, int To) Valid = (-10, 300);

    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string, int, int> Links => new()
    {
        { "leaf", 3, 200 },
        { "leaf", -200, -3 },
        { "intermediate", 3, 200 },
        { "intermediate", -200, -3 },
        { "root", -200, -3 },
    };

    [Theory]
    [MemberData(nameof(Links))]
    public async Task Order_ALinkIsNotTimeValid_TheMessageNamesItItsDatesAndTheClock(string link, int from, int to)
    {
        (int From, int To) Of(string name) => name == link ? (from, to) : Valid;
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Certificate("root", rootKey, Of("root"), issuer: null, isAuthority: true);
        using var intermediate = Certificate("intermediate", intermediateKey, Of("intermediate"), root, isAuthority: true);
        using var leafKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = Certificate("leaf", leafKey, Of("leaf"), intermediate, isAuthority: false);
        await using var authority = await ServeAsync(leaf, intermediate);
        var url = authority.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

        await using var app = await AcmeApp.StartAsync(
            new Dictionary<string, string?>
            {
                ["AcmeHttps:DirectoryUrl"] = $"{url}/directory",
                ["AcmeHttps:TrustedRootsPath"] = _folder.Write("roots.pem", root.ExportCertificatePem()),
                ["AcmeHttps:StoragePath"] = _folder.Combine("store"),
                ["AcmeHttps:AcceptTermsOfService"] = "true",
                ["AcmeHttps:DomainNames:0"] = "app.test",
            },
            configure: QuickIssuance.Apply, cancellationToken: Cancelled);
        await Poll.UntilAsync(
            () => app.Certificates.Find("app.test")?.Failure is not null, $"a failure\n{app.Log}", cancellationToken: Cancelled);

        var failure = app.Certificates.Find("app.test")!.Failure!;
        Assert.Equal(FailureCause.Authority, failure.Cause);
        Assert.Contains(
            $"'CN={link}' is valid from {Date(from)} to {Date(to)}, and this machine's clock says",
            failure.Message,
            StringComparison.Ordinal);
        Assert.Contains(_now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("TrustedRootsPath", failure.Message, StringComparison.Ordinal);
        foreach (var other in new[] { "leaf", "intermediate", "root" }.Where(other => other != link))
        {
            Assert.DoesNotContain($"'CN={other}' is valid from", failure.Message, StringComparison.Ordinal);
        }

        await Poll.UntilAsync(
            () => app.Log.Lines.Any(line => line.Level >= LogLevel.Warning
                && line.Message.Contains($"'CN={link}' is valid from", StringComparison.Ordinal)),
            () => $"the words in the log\n{app.Log}", cancellationToken: Cancelled);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<WebApplication> ServeAsync(X509Certificate2 leaf, X509Certificate2 intermediate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = leaf;
            https.ServerCertificateChain = [intermediate];
        })));
        var app = builder.Build();
        await app.StartAsync(Cancelled);
        return app;
    }

    private X509Certificate2 Certificate(string name, ECDsa key, (int From, int To) days, X509Certificate2? issuer, bool isAuthority)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (!isAuthority)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }

        var (from, to) = (_now.AddDays(days.From), _now.AddDays(days.To));
        if (issuer is null)
        {
            return request.CreateSelfSigned(from, to);
        }

        // The framework refuses a certificate that outlives its issuer.
        using var issuerKey = issuer.GetECDsaPrivateKey()!;
        using var certificate = request.Create(
            issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), from, to, RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }

    private string Date(int days) => _now.AddDays(days).ToString("u", CultureInfo.InvariantCulture);
}
