using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Unusual server names, compared with a Kestrel that has one static certificate.</summary>
public sealed class OddServerNameTests
{
    private const string Ours = "a.test";
    private const string Served = "ServerHello";
    private const string UnrecognizedName = "alert 112";
    private const string DecodeError = "alert 50";

    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The server name, and the expected result if a.test and b.test are served and the app has no certificate of its own.
    private static Dictionary<string, (byte[]? Extension, string Expected)> Variants { get; } = new()
    {
        ["our name"] = (Name(Ours), Served),
        ["trailing dot"] = (Name(Ours + "."), Served),
        ["upper case"] = (Name("A.TEST"), Served),
        ["with a port"] = (Name(Ours + ":443"), UnrecognizedName),
        ["no server_name"] = (null, UnrecognizedName),
        ["IPv4 literal"] = (Name("127.0.0.1"), UnrecognizedName),
        ["IPv4 literal with a port"] = (Name("127.0.0.1:443"), UnrecognizedName),
        ["IPv6 literal"] = (Name("::1"), UnrecognizedName),
        ["IPv6 literal in brackets"] = (Name("[::1]"), UnrecognizedName),
        ["localhost"] = (Name("localhost"), UnrecognizedName),
        ["label of digits"] = (Name("12345"), UnrecognizedName),
        ["raw UTF-8"] = (Name("bücher.test"), UnrecognizedName),
        ["underscore"] = (Name("my_host." + Ours), UnrecognizedName),
        ["leading dot"] = (Name("." + Ours), UnrecognizedName),
        ["dot"] = (Name("."), UnrecognizedName),
        ["space"] = (Name("a test"), UnrecognizedName),
        ["wildcard"] = (Name("*." + Ours), UnrecognizedName),
        ["URL"] = (Name("https://" + Ours + "/"), UnrecognizedName),
        ["254 characters"] = (Name(string.Concat(Enumerable.Repeat("a.", 126)) + "ab"), UnrecognizedName),
        ["256 characters"] = (Name(string.Concat(Enumerable.Repeat("a.", 127)) + "ab"), UnrecognizedName),
        ["label of 64 characters"] = (Name(new string('a', 64) + ".test"), UnrecognizedName),
        ["trailing NUL"] = (Name(Ours + "\0"), UnrecognizedName),
        ["two trailing dots"] = (Name(Ours + ".."), UnrecognizedName),
        ["upper case and a trailing dot"] = (Name("A.TEST."), Served),
        ["IPv4 literal and a trailing dot"] = (Name("127.0.0.1."), UnrecognizedName),
        ["IPv4 inside of IPv6"] = (Name("::ffff:127.0.0.1"), UnrecognizedName),
        ["IPv6 literal with a zone"] = (Name("fe80::1%eth0"), UnrecognizedName),
        ["octal address"] = (Name("0177.0.0.1"), UnrecognizedName),
        ["hexadecimal address"] = (Name("0x7f.0.0.1"), UnrecognizedName),
        ["underscore first"] = (Name("_acme-challenge." + Ours), UnrecognizedName),
        ["hyphen first"] = (Name("-" + Ours), UnrecognizedName),
        ["A-label of nothing"] = (Name("xn--.test"), UnrecognizedName),
        ["A-label that decodes to nothing"] = (Name("xn--0.test"), UnrecognizedName),
        ["A-label of ASCII"] = (Name("xn--a-.test"), UnrecognizedName),
        ["A-label that overflows"] = (Name("xn--99999999999.test"), UnrecognizedName),
        ["percent"] = (Name("%61.test"), UnrecognizedName),
        ["NUL inside"] = (Name("a\0.test"), UnrecognizedName),
        ["line break"] = (Name("a.test\r\nx"), UnrecognizedName),
        ["octets above 127"] = (Extension([0, .. Vector([0xFF, 0xFE, 0x80, 0x2E, 0xC3])]), UnrecognizedName),
        ["full-width letters"] = (Name("ａ.ｔｅｓｔ"), UnrecognizedName),
        ["unknown name type"] = (Extension([7, .. Vector(Encoding.ASCII.GetBytes(Ours))]), UnrecognizedName),
        ["empty name"] = (Name(""), UnrecognizedName),
        ["empty extension"] = ([], DecodeError),
        ["empty list"] = (Extension([]), DecodeError),
        ["two names"] = (
            Extension([0, .. Vector(Encoding.ASCII.GetBytes(Ours)), 0, .. Vector(Encoding.ASCII.GetBytes("b.test"))]), DecodeError),
        ["name longer than its list"] = ([0, 5, 0, 0, 9, (byte)'a', (byte)'b'], DecodeError),
    };

    [Fact]
    public async Task Connect_AppHasADefault_SameAsPlainKestrel()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("default.pfx");
        using var certificate = Authority.IssueWithKey("default.test");
        await File.WriteAllBytesAsync(path, certificate.Export(X509ContentType.Pkcs12, "secret"), Token);
        await using var plain = await StartPlainAsync(certificate);
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token,
            configuration: new() { ["Kestrel:Certificates:Default:Path"] = path, ["Kestrel:Certificates:Default:Password"] = "secret" });
        Publish(app, Ours, "b.test");

        var (expected, actual) = (await SendAllAsync(PortOf(plain)), await SendAllAsync(app.EndPoint.Port));

        Assert.Equal(expected, actual);
        Assert.Contains("no server_name, TLS 1.3: ServerHello", actual);
    }

    [Fact]
    public async Task Connect_SeveralCertificatesAndNoDefault_RefusedWithAlert()
    {
        await using var app = await KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token);
        Publish(app, Ours, "b.test");

        var actual = await SendAllAsync(app.EndPoint.Port);

        Assert.Equal(
            Variants.SelectMany(v => new[] { $"{v.Key}, TLS 1.3: {v.Value.Expected}", $"{v.Key}, TLS 1.2: {v.Value.Expected}" }), actual);
    }

    [Fact]
    public async Task Connect_SoleCertificate_ServedWithoutServerName()
    {
        await using var app = await KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token);
        app.Publisher.Publish(Authority.Issue([Ours, "www.a.test"], ECDsa.Create(ECCurve.NamedCurves.nistP256), "a"));
        app.Publisher.SetManagedNames([Ours, "www.a.test"], sole: Ours);

        var served = (await SendAllAsync(app.EndPoint.Port)).Where(a => a.EndsWith(Served, StringComparison.Ordinal))
            .Select(a => a[..a.IndexOf(',', StringComparison.Ordinal)]);

        Assert.Equal(
            [
                "our name", "trailing dot", "upper case", "no server_name", "IPv4 literal", "IPv6 literal", "IPv6 literal in brackets",
                "upper case and a trailing dot", "IPv4 literal and a trailing dot", "IPv4 inside of IPv6", "IPv6 literal with a zone",
            ],
            served.Distinct());
        Assert.DoesNotContain(app.Logs.Lines, l => l.Level > LogLevel.Information);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("[2001:db8::7]", "2001:db8::7")]
    [InlineData("2001:DB8::7", "2001:db8::7")]
    [InlineData("198.51.100.1", "127.0.0.1")]
    [InlineData(null, "127.0.0.1")]
    public async Task Connect_AddressAsServerName_ItsCertificateElseThatOfTheLocalAddress(string? sent, string expected)
    {
        await using var app = await KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token);
        Publish(app, Ours, "127.0.0.1", "192.0.2.7", "2001:db8::7");

        var served = await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, sent, cancellationToken: Token);

        Assert.Equal(expected, served.LoadLeaf().GetNameInfo(X509NameType.SimpleName, forIssuer: false));
    }

    [Theory]
    [InlineData("bücher.test")]
    [InlineData("a.test:443")]
    [InlineData("12345")]
    public async Task Connect_OpenSslWithoutHostName_AlertUnrecognizedName(string sent)
    {
        await using var app = await KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token);
        Publish(app, Ours, "b.test");

        var served = await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, sent, cancellationToken: Token);

        Assert.Empty(served.CertificatesPem);
        Assert.Contains("unrecognized name", served.Output, StringComparison.Ordinal);
    }

    private static void Publish(KestrelApp app, params string[] names)
    {
        Array.ForEach(names, name => app.Publisher.Publish(Authority.Issue(name)));
        app.Publisher.SetManagedNames(names);
    }

    private static async Task<WebApplication> StartPlainAsync(X509Certificate2 certificate)
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { EnvironmentName = "Production", Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        var app = builder.Build();
        await app.StartAsync(Token);
        return app;
    }

    private static int PortOf(WebApplication app)
        => new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;

    private static async Task<List<string>> SendAllAsync(int port)
    {
        var answers = new List<string>();
        foreach (var (name, (extension, _)) in Variants)
        {
            answers.Add($"{name}, TLS 1.3: {await SendAsync(port, Hello(extension, tls13: true))}");
            answers.Add($"{name}, TLS 1.2: {await SendAsync(port, Hello(extension, tls13: false))}");
        }

        return answers;
    }

    private static async Task<string> SendAsync(int port, byte[] hello)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Token);
        await client.GetStream().WriteAsync(hello, Token);
        var answer = new byte[7];
        var length = await client.GetStream().ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, Token);
        return length < answer.Length ? "closed without a word"
            : answer[0] == 21 ? string.Create(CultureInfo.InvariantCulture, $"alert {answer[6]}")
            : answer[0] == 22 ? Served
            : string.Create(CultureInfo.InvariantCulture, $"record {answer[0]}");
    }

    private static byte[] Hello(byte[]? serverName, bool tls13)
    {
        var builder = ClientHelloBuilder.For(null);
        builder.Groups = [23, 29];
        builder.Extensions.Add((11, [1, 0]));
        if (serverName is not null)
        {
            builder.Extensions.Add((0, serverName));
        }

        if (tls13)
        {
            builder.Extensions.Add((51, Vector([0, 29, .. Vector([.. new byte[31], 9])])));
        }
        else
        {
            (builder.Versions, builder.Suites) = ([], [0xC02B, 0xC02F]);
        }

        return builder.Build();
    }

    private static byte[] Name(string name) => Extension([0, .. Vector(Encoding.UTF8.GetBytes(name))]);

    private static byte[] Extension(byte[] list) => Vector(list);

    private static byte[] Vector(byte[] content) => [(byte)(content.Length >> 8), (byte)content.Length, .. content];
}
