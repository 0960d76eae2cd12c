using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Diagnostics;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Revocation;

public sealed class RevocationCheckTests : IDisposable
{
    private static readonly Uri Url = new("http://crl.test/list.crl");
    private readonly FakeTimeProvider _time = new();
    private readonly FailingStorage _storage;
    private readonly CertificateStore _store;
    private readonly X509Certificate2 _issuer;
    private readonly X509Certificate2 _other;
    private readonly UnchangedList _server;
    private readonly RevocationListClient _client;

    public RevocationCheckTests()
    {
        (_issuer, _other) = (Issuer(), Issuer());
        var builder = new CertificateRevocationListBuilder();
        builder.AddEntry([0x0A], _time.GetUtcNow());
        _server = new UnchangedList(
            builder.Build(_issuer, 1, _time.GetUtcNow().AddDays(9), HashAlgorithmName.SHA256, thisUpdate: _time.GetUtcNow()));
        _client = new RevocationListClient(_time, _server);
        _storage = new FailingStorage(new InMemoryStorage(_time));
        _store = new CertificateStore(BoundedFixture.Around(_storage), NullLogger<CertificateStore>.Instance);
    }

    [Fact]
    public async Task Look_UnchangedListForTheSameCertificates_IsNotSentAgain()
    {
        var check = Check();
        Assert.Empty(await LookAsync(check, "01", "02"));
        _time.Advance(TimeSpan.FromHours(24));
        Assert.Empty(await LookAsync(check, "02"));

        Assert.Equal((1, 1), (_server.Sent, _server.Unchanged));
    }

    [Fact]
    public async Task Look_UnchangedListForACertificateNotLookedForBefore_FindsIt()
    {
        var check = Check();
        Assert.Empty(await LookAsync(check, "01"));
        _time.Advance(TimeSpan.FromHours(24));

        Assert.Equal(["0A"], await LookAsync(check, "01", "0A"));
        Assert.Equal((2, 0), (_server.Sent, _server.Unchanged));
    }

    [Fact]
    public async Task Look_AnotherInstanceLookedForOtherCertificates_LooksForItsOwn()
    {
        Assert.Empty(await LookAsync(Check(), "01"));

        Assert.Equal(["0A"], await LookAsync(Check(), "0A"));
    }

    [Fact]
    public async Task Look_InstancesThatStartAgainAndAgain_AskOnceADayForEachSetOfCertificates()
    {
        for (var start = 0; start < 5; start++)
        {
            await LookAsync(Check(), "01", "02");
            await LookAsync(Check(), "02", "01");
            await LookAsync(Check(), "03");
        }

        Assert.Equal(2, _server.Sent);
        _time.Advance(TimeSpan.FromHours(24));
        await LookAsync(Check(), "01", "02");
        await LookAsync(Check(), "03");
        Assert.Equal(4, _server.Sent);
    }

    /// <summary>The certificates of the other issuer may have the same serial numbers.</summary>
    [Fact]
    public async Task Look_TwoIssuersNameOneList_ItSpeaksForTheOneThatSignedIt()
    {
        var check = Check();

        Assert.Empty(await LookAsync(check, _other, "0A"));
        Assert.Equal(["0A"], await LookAsync(check, _issuer, "0A"));
        Assert.Empty(await LookAsync(check, _other, "0A"));
    }

    [Fact]
    public async Task Look_StoreCannotBeWritten_ComesBackADayLaterAndKnowsTheList()
    {
        var check = Check();
        _storage.Unwritable = static _ => true;

        var next = await LookAsync(check, _issuer, [], "01");
        Assert.True(next - _time.GetUtcNow() > TimeSpan.FromHours(19), $"It comes back after {next - _time.GetUtcNow()}.");
        _time.SetUtcNow(next);
        await LookAsync(check, _issuer, [], "01");

        Assert.Equal((1, 1), (_server.Sent, _server.Unchanged));
    }

    /// <summary>Stored text is not trusted: an earlier version stored numbers of any length.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Look_StoredNumberIsNone_IsNotCompared(bool isText)
    {
        var number = isText ? "many" : new string('9', 1_000_000);
        await _store.WriteRevocationListAsync(
            new RevocationListRecord { Url = Url, IssuerKey = _issuer.Thumbprint, Number = number, NextChecks = new Dictionary<string,
                DateTimeOffset>() }, TestContext.Current.CancellationToken);

        Assert.Equal(["0A"], await LookAsync(Check(), "0A"));
    }

    public void Dispose()
    {
        _client.Dispose();
        _issuer.Dispose();
        _other.Dispose();
    }

    private X509Certificate2 Issuer()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Issuer", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(_time.GetUtcNow().AddDays(-1), _time.GetUtcNow().AddYears(1));
    }

    private RevocationCheck Check() => new(_store, _client, MetricReader.Unread(), () => 0, _time, NullLogger<RevocationCheck>.Instance);

    private Task<List<string>> LookAsync(RevocationCheck check, params string[] serialNumbers) => LookAsync(check, _issuer, serialNumbers);

    private static async Task<List<string>> LookAsync(RevocationCheck check, X509Certificate2 issuer, params string[] serialNumbers)
    {
        var found = new List<string>();
        await LookAsync(check, issuer, found, serialNumbers);
        return found;
    }

    private static Task<DateTimeOffset> LookAsync(
        RevocationCheck check, X509Certificate2 issuer, List<string> found, params string[] serialNumbers)
        => check.LookAsync(
        new RevocationListId(Url, issuer.Thumbprint),
        new Uri("https://ca.test/directory"),
        issuer.RawDataMemory,
        serialNumbers.ToHashSet(StringComparer.Ordinal),
        entry =>
        {
            found.Add(entry.SerialNumber);
            return Task.FromResult(true);
        },
        TestContext.Current.CancellationToken);

    private sealed class UnchangedList(byte[] list) : HttpMessageHandler
    {
        private const string Tag = "\"1\"";

        public int Sent { get; private set; }

        public int Unchanged { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Headers.IfNoneMatch.Any(known => known.Tag == Tag))
            {
                Unchanged++;
                return Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.NotModified));
            }

            Sent++;
            var response = new HttpResponseMessage { Content = new ByteArrayContent(list) };
            response.Headers.ETag = new(Tag);
            return Task.FromResult(response);
        }
    }
}
