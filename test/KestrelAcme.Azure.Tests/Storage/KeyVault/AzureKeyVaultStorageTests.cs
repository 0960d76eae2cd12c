using System.Security.Cryptography;
using System.Text;
using Azure.Identity;
using KestrelAcme.Azure.Storage.KeyVault;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage.KeyVault;

/// <summary>What is particular to a vault: deleted names, sizes, versions, its refusals, and that no private key leaves it.</summary>
public sealed class AzureKeyVaultStorageTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private KeyVaultFixture _fixture = null!;
    private AzureKeyVaultStorage _storage = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _fixture = await KeyVaultFixture.CreateAsync(azurite);
        _storage = _fixture.OpenVault(_fixture.Index.Handler);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task WriteAsync_DeletedBeforeAndPurgeProtected_WritesAgain()
    {
        _fixture.Stub.IsPurgeProtected = true;
        for (var i = 0; i < 3; i++)
        {
            await WriteAsync("certificates/a.pem", $"value {i}");
            Assert.Equal($"value {i}", await ReadAsync("certificates/a.pem"));
            Assert.True(await _storage.DeleteAsync("certificates/a.pem", cancellationToken: Token));
            Assert.Null(await ReadAsync("certificates/a.pem"));
        }

        Assert.Empty(_fixture.Stub.Secrets);
        Assert.Equal(3, _fixture.Stub.Deleted.Count);
    }

    [Fact]
    public async Task WriteAsync_ManyTimes_OneSecretWithOneVersionIsLeft()
    {
        for (var i = 0; i < 10; i++)
        {
            await WriteAsync("states/a.json", $"{i}");
        }

        var (name, versions) = Assert.Single(_fixture.Stub.Secrets);
        Assert.Single(versions);
        Assert.Matches("^kestrelacme-states-a-json-[0-9a-f]{32}-0$", name);
        Assert.Equal("states/a.json", (string?)versions[0].Tags!["key"]);
        Assert.Null((await _storage.CheckAsync(Token)).Explanation);
    }

    [Fact]
    public async Task WriteAsync_LongestKey_NameFitsTheVault()
    {
        var key = new string('a', 200) + "/" + new string('b', 199);
        await WriteAsync(key, "x");
        Assert.Equal("x", await ReadAsync(key));
        Assert.InRange(Assert.Single(_fixture.Stub.Secrets).Key.Length, 1, 127);
    }

    [Fact]
    public async Task WriteAsync_Rsa4096WithALongChain_IsOneSecret()
    {
        // A key, and four certificates of twice the usual size.
        using var rsa = RSA.Create(4096);
        var pem = new StringBuilder(rsa.ExportPkcs8PrivateKeyPem());
        for (var i = 0; i < 4; i++)
        {
            pem.Append('\n').Append(PemEncoding.Write("CERTIFICATE", RandomNumberGenerator.GetBytes(2500)));
        }

        await WriteAsync("certificates/a.pem", pem.ToString());
        Assert.Equal(pem.ToString(), await ReadAsync("certificates/a.pem"));
        Assert.Single(_fixture.Stub.Secrets);
    }

    [Theory]
    [InlineData(SecretVault.MaxPartLength, 1)]
    [InlineData(SecretVault.MaxPartLength + 1, 2)]
    [InlineData((3 * SecretVault.MaxPartLength) + 1, 4)]
    public async Task WriteAsync_LargerThanASecret_IsSplitAndReplacedAsOne(int length, int secrets)
    {
        var value = RandomNumberGenerator.GetBytes(length);
        await WriteAsync("a", "small");
        await _storage.WriteAsync("a", value, cancellationToken: Token);
        Assert.Equal(secrets, _fixture.Stub.Secrets.Count);
        Assert.Equal(value, (await _storage.ReadAsync("a", Token))!.Value.ToArray());
    }

    [Fact]
    public async Task WriteAsync_LeaseIsLost_NothingIsReadAndNothingIsLeft()
    {
        using var slow = new ServerHandler(_fixture.Index.Clock);
        var stale = _fixture.OpenVault(slow);
        await WriteAsync("a", "old");
        await using var lease = await stale.TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(1), Token);
        var held = slow.Hold(HttpMethod.Put, "/values/a");
        var write = stale.WriteAsync("a", Encoding.UTF8.GetBytes("stale"), lease, Token).AsTask();
        await held.Arrived.WaitAsync(Token);
        await _fixture.PassAsync(TimeSpan.FromMinutes(1));
        await using var next = await _storage.TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(1), Token);
        Assert.NotNull(next);
        held.Release();

        await Assert.ThrowsAsync<LeaseLostException>(() => write);
        Assert.Equal("old", await ReadAsync("a"));
        Assert.Single(_fixture.Stub.Secrets);
    }

    [Fact]
    public async Task WriteAsync_PrivateKey_IsInTheVaultOnly()
    {
        const string Secret = "-----BEGIN PRIVATE KEY----- do not copy";
        await WriteAsync("certificates/a.pem", Secret);
        await foreach (var blob in _fixture.Index.Client.GetBlobsAsync(cancellationToken: Token))
        {
            var content = (await _fixture.Index.Client.GetBlobClient(blob.Name).DownloadContentAsync(Token)).Value.Content.ToString();
            Assert.DoesNotContain("PRIVATE", content, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret))[..16], content, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ReadAsync_SecretWasDeletedByAnOperator_IsUnavailableAndNeverMissing()
    {
        await WriteAsync("a", "x");
        var name = _fixture.Stub.Secrets.Keys.Single();
        _fixture.Stub.Secrets.Remove(name, out var versions);
        _fixture.Stub.Deleted[name] = versions!;
        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await _storage.ReadAsync("a", Token));
        Assert.Contains("az keyvault secret recover", failure.Message, StringComparison.Ordinal);
        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_ReplacedWhileReading_ReturnsTheNewValue()
    {
        await WriteAsync("a", "old");
        var replaced = 0;
        _fixture.Stub.Before = async request =>
        {
            // The first read of the secret finds that it was replaced a moment ago.
            if (request.StartsWith("GET ", StringComparison.Ordinal) && Interlocked.Exchange(ref replaced, 1) == 0)
            {
                await WriteAsync("a", "new");
            }
        };
        Assert.Equal("new", await ReadAsync("a"));
    }

    [Fact]
    public async Task ReadAsync_NewSecretIsNotSeenYet_WaitsForIt()
    {
        await WriteAsync("a", "x");
        var unseen = 2;
        _fixture.Stub.Refuse = request => request.StartsWith("GET ", StringComparison.Ordinal) && Interlocked.Decrement(ref unseen) >= 0
            ? (404, "SecretNotFound", null, null) : null;
        Assert.Equal("x", await ReadAsync("a"));
    }

    [Theory]
    [InlineData(403, "Forbidden", "ForbiddenByRbac", null, "'Key Vault Secrets Officer'")]
    [InlineData(403, "Forbidden", "AccessDenied", null, "'Key Vault Secrets Officer'")]
    [InlineData(403, "Forbidden", "ForbiddenByFirewall", null, "under Networking")]
    [InlineData(403, "Forbidden", "SecretDisabled", null, "--enabled true")]
    [InlineData(409, "Conflict", "ObjectIsBeingDeleted", null, "has not finished deleting")]
    [InlineData(429, "Throttled", null, "1", "asks to wait 1 s")]
    [InlineData(503, "ServiceUnavailable", null, null, "tries again")]
    [InlineData(404, "NotAVault", null, null, "leads to something else")]
    public async Task AnyMember_VaultRefuses_IsUnavailableAndSaysWhatToDo(
        int status, string code, string? inner, string? retryAfter, string expected)
    {
        await WriteAsync("a", "x");
        _fixture.Stub.Refuse = _ => (status, code, inner, retryAfter);
        StorageUnavailableException[] failures =
        [
            await Assert.ThrowsAsync<StorageUnavailableException>(async () => await _storage.ReadAsync("a", Token)),
            await Assert.ThrowsAsync<StorageUnavailableException>(
                async () => await _storage.WriteAsync("a", new byte[] { 1 }, cancellationToken: Token)),
        ];
        foreach (var failure in failures)
        {
            Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
            Assert.Contains(_fixture.Host, failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(KeyVaultFixture.Token, failure.ToString(), StringComparison.Ordinal);
        }

        var health = await _storage.CheckAsync(Token);
        Assert.False(health.Writable);
        Assert.Contains(expected, health.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DeleteAsync_OldSecretCannotBeDeleted_SucceedsAndCheckTells()
    {
        await WriteAsync("a", "x");
        _fixture.Stub.Refuse = request => request.StartsWith("DELETE ", StringComparison.Ordinal)
            ? (403, "Forbidden", "ForbiddenByRbac", null) : null;
        Assert.True(await _storage.DeleteAsync("a", cancellationToken: Token));
        Assert.Null(await ReadAsync("a"));
        var health = await _storage.CheckAsync(Token);
        Assert.True(health.Writable);
        Assert.Contains("deleting the old secret", health.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyMember_NoToken_SaysWhereIdentitiesComeFrom()
    {
        await WriteAsync("a", "x");
        var credential = new StaticCredential("", new CredentialUnavailableException("ManagedIdentityCredential: no endpoint."));
        var other = _fixture.OpenVault(_fixture.Index.Handler, credential: credential);
        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await other.ReadAsync("a", Token));
        Assert.Contains("no endpoint", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckAsync_ManyTimes_LeavesOneVersionOfOneSecret()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.True((await _storage.CheckAsync(Token)).Writable);
        }

        Assert.Single(Assert.Single(_fixture.Stub.Secrets).Value);
        Assert.Empty(_fixture.Stub.Deleted);
    }

    [Fact]
    public async Task CheckAsync_ItsSecretWasDeleted_IsRecovered()
    {
        Assert.True((await _storage.CheckAsync(Token)).Writable);
        _fixture.Stub.Secrets.Remove("kestrelacme-check", out var versions);
        _fixture.Stub.Deleted["kestrelacme-check"] = versions!;
        var health = await _storage.CheckAsync(Token);
        Assert.True(health.Writable, health.Explanation);
        Assert.Contains(_fixture.Host, health.Place, StringComparison.Ordinal);
        Assert.Equal("kestrelacme-check", Assert.Single(_fixture.Stub.Secrets).Key);
    }

    private ValueTask WriteAsync(string key, string value)
        => _storage.WriteAsync(key, Encoding.UTF8.GetBytes(value), cancellationToken: Token);

    private async Task<string?> ReadAsync(string key)
        => await _storage.ReadAsync(key, Token) is { } value ? Encoding.UTF8.GetString(value.Span) : null;
}
