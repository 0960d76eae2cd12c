using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Revocation;

public sealed class RevocationCheckTests : IDisposable
{
    private static readonly Uri Url = new("http://crl.test/list.crl");
    private readonly FakeTimeProvider _time = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _issuer;
    private readonly UnchangedList _server;
    private readonly RevocationListClient _client;
    private readonly RevocationCheck _check;

    public RevocationCheckTests()
    {
        var request = new CertificateRequest("CN=Issuer", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _issuer = request.CreateSelfSigned(_time.GetUtcNow().AddDays(-1), _time.GetUtcNow().AddYears(1));
        var builder = new CertificateRevocationListBuilder();
        builder.AddEntry([0x0A], _time.GetUtcNow());
        _server = new UnchangedList(builder.Build(_issuer, 1, _time.GetUtcNow().AddDays(9), HashAlgorithmName.SHA256, thisUpdate: _time.GetUtcNow()));
        _client = new RevocationListClient(_time, _server);
        var store = new CertificateStore(BoundedFixture.Around(new InMemoryStorage(_time)), NullLogger<CertificateStore>.Instance);
        _check = new RevocationCheck(store, _client, () => 0, _time, NullLogger<RevocationCheck>.Instance);
    }

    [Fact]
    public async Task Look_UnchangedListForTheSameCertificates_IsNotSentAgain()
    {
        Assert.Empty(await LookAsync("01", "02"));
        _time.Advance(TimeSpan.FromHours(24));
        Assert.Empty(await LookAsync("02"));

        Assert.Equal((1, 1), (_server.Sent, _server.Unchanged));
    }

    [Fact]
    public async Task Look_UnchangedListForACertificateNotLookedForBefore_FindsIt()
    {
        Assert.Empty(await LookAsync("01"));
        _time.Advance(TimeSpan.FromHours(24));

        Assert.Equal(["0A"], await LookAsync("01", "0A"));
        Assert.Equal((2, 0), (_server.Sent, _server.Unchanged));
    }

    public void Dispose()
    {
        _client.Dispose();
        _issuer.Dispose();
        _key.Dispose();
    }

    private async Task<List<string>> LookAsync(params string[] serialNumbers)
    {
        var found = new List<string>();
        await _check.LookAsync(
            Url,
            _issuer.RawDataMemory,
            serialNumbers.ToHashSet(StringComparer.Ordinal),
            entry =>
            {
                found.Add(entry.SerialNumber);
                return Task.FromResult(true);
            },
            TestContext.Current.CancellationToken);
        return found;
    }

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
