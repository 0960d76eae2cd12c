using Azure.Identity;
using KestrelAcme.Challenges.Dns01;
using Xunit;

namespace KestrelAcme.Azure.Tests;

/// <summary>Behavior specific to Azure: one resource for all values of a name, lists of zones, its errors.</summary>
public sealed class AzureDnsProviderTests : IAsyncLifetime
{
    private const string Key = "example.test/_acme-challenge";

    private readonly AzureFixture _azure = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private int Lists => _azure.Api.Requests.Count(request => request.Contains("/dnsZones?", StringComparison.Ordinal));

    private string Server => _azure.Api.Url.Authority;

    public async ValueTask InitializeAsync()
    {
        _azure.Stub.Zones.AddRange([("rg1", "test"), ("rg1", "example.test"), ("rg2", "other.test")]);
        await _azure.StartAsync(Cancelled);
    }

    public ValueTask DisposeAsync() => _azure.DisposeAsync();

    [Fact]
    public async Task Change_SetOfSomebodyElse_IsKeptAsItIs()
    {
        _azure.Stub.Put(Key, 3600, ["one", "string and another"], ["plain"]);
        _azure.Stub.Sets[Key].Properties["metadata"] = new System.Text.Json.Nodes.JsonObject { ["owner"] = "somebody" };
        var provider = _azure.CreateProvider();

        await provider.CreateTxtAsync(Txt("ours"), Cancelled);
        Assert.Equal(["onestring and another", "ours", "plain"], _azure.Stub.ValuesOf(Key));
        await provider.DeleteTxtAsync(Txt("ours"), Cancelled);

        var left = _azure.Stub.Sets[Key].Properties;
        Assert.Equal(
            """{"TTL":3600,"TXTRecords":[{"value":["one","string and another"]},{"value":["plain"]}],"metadata":{"owner":"somebody"}}""",
            left.ToJsonString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Create_ChangedMeanwhile_LosesNeither(bool exists)
    {
        if (exists)
        {
            _azure.Stub.Put(Key, 60, ["before"]);
        }

        _azure.Stub.Meanwhile = key =>
        {
            _azure.Stub.Meanwhile = null;
            _azure.Stub.Put(key, 60, [.. _azure.Stub.ValuesOf(key).Append("theirs").Select(v => new[] { v })]);
        };

        await _azure.CreateProvider().CreateTxtAsync(Txt("ours"), Cancelled);

        Assert.Equal(exists ? ["before", "ours", "theirs"] : ["ours", "theirs"], _azure.Stub.ValuesOf(Key));
    }

    [Fact]
    public async Task Delete_AddedMeanwhile_LeavesTheOther()
    {
        _azure.Stub.Put(Key, 60, ["ours"]);
        _azure.Stub.Meanwhile = key =>
        {
            _azure.Stub.Meanwhile = null;
            _azure.Stub.Put(key, 60, ["ours"], ["theirs"]);
        };

        await _azure.CreateProvider().DeleteTxtAsync(Txt("ours"), Cancelled);

        Assert.Equal(["theirs"], _azure.Stub.ValuesOf(Key));
    }

    [Fact]
    public async Task Change_TwoProvidersAtOnce_LoseNoneAndEndClean()
    {
        var providers = new[] { _azure.CreateProvider(), _azure.CreateProvider() };
        var values = Enumerable.Range(0, 6).Select(i => $"value-{i}").ToList();

        await Task.WhenAll(values.Select((value, i) => providers[i % 2].CreateTxtAsync(Txt(value), Cancelled)));
        Assert.Equal(values, _azure.Stub.ValuesOf(Key));
        await Task.WhenAll(values.Select((value, i) => providers[i % 2].DeleteTxtAsync(Txt(value), Cancelled)));

        Assert.Empty(_azure.Stub.Sets);
    }

    [Fact]
    public async Task Create_AlwaysChangedMeanwhile_EndsAndSaysSo()
    {
        var i = 0;
        _azure.Stub.Meanwhile = key => _azure.Stub.Put(key, 60, [$"theirs-{i++}"]);

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => _azure.CreateProvider().CreateTxtAsync(Txt("ours"), Cancelled));

        Assert.Equal(DnsProviderFault.Unavailable, exception.Fault);
        Assert.Contains(
            $"{Server}: the TXT records of _acme-challenge.example.test in zone example.test were changed by others",
            exception.Message,
            StringComparison.Ordinal);
        Assert.Equal(10, i);
    }

    [Fact]
    public async Task Create_ManyPagesOfZones_TakesTheOneOfTheNameAndListsOnce()
    {
        _azure.Stub.PageSize = 1;
        var provider = _azure.CreateProvider();

        await provider.CreateTxtAsync(Txt("one"), Cancelled);
        await provider.CreateTxtAsync(Txt("two", "_acme-challenge.www.other.test", "other.test"), Cancelled);
        await provider.CreateTxtAsync(Txt("three", "test", "test"), Cancelled);

        Assert.Equal(
            ["example.test/_acme-challenge", "other.test/_acme-challenge.www", "test/@"],
            _azure.Stub.Sets.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(3, Lists);
    }

    [Fact]
    public async Task Create_NextPageAtAnotherServer_IsNotFollowed()
    {
        _azure.Stub.PageSize = 1;
        _azure.Stub.OtherServer = "https://elsewhere.test";

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => _azure.CreateProvider().CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains(
            $"{Server} continues the list of zones (for zone example.test) at https://elsewhere.test/",
            exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ResourceGroup_SeesItsZonesOnly()
    {
        var provider = _azure.CreateProvider(configure: options => options.ResourceGroup = "rg2");

        await provider.CreateTxtAsync(Txt("value", "_acme-challenge.other.test", "other.test"), Cancelled);
        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Equal(DnsProviderFault.ZoneNotFound, exception.Fault);
        Assert.Contains(
            $"{Server} shows no zone named example.test, which in DNS holds _acme-challenge.example.test, "
            + $"in /subscriptions/{AzureFixture.Subscription}/resourceGroups/rg2.",
            exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ZoneResourceIds_ListsNothing()
    {
        var id = $"/subscriptions/{AzureFixture.Subscription}/resourceGroups/rg1/providers/Microsoft.Network/dnszones/";
        var provider = _azure.CreateProvider(
            configure: options => (options.SubscriptionId, options.ZoneResourceIds) = (null, $"{id}test, {id}example.test"));

        await provider.CreateTxtAsync(Txt("value"), Cancelled);
        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => provider.CreateTxtAsync(Txt("value", "_acme-challenge.example.org", "example.org"), Cancelled));

        Assert.Equal(["value"], _azure.Stub.ValuesOf(Key));
        Assert.Equal(0, Lists);
        Assert.Contains("Add the zone's resource ID.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ZoneMovedToAnotherGroup_IsFoundAtTheNextTry()
    {
        var provider = _azure.CreateProvider();
        await provider.CreateTxtAsync(Txt("one"), Cancelled);
        _azure.Stub.Zones.Remove(("rg1", "example.test"));
        _azure.Stub.Zones.Add(("rg3", "example.test"));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("two"), Cancelled));
        Assert.Equal(DnsProviderFault.ZoneNotFound, exception.Fault);
        await provider.CreateTxtAsync(Txt("two"), Cancelled);

        Assert.Equal(["one", "two"], _azure.Stub.ValuesOf(Key));
    }

    [Theory]
    [InlineData("ParentResourceNotFound")]
    [InlineData("ResourceGroupNotFound")]
    public async Task Delete_ZoneMovedToAnotherGroup_IsNoSuccessAndIsMadeAtTheNextTry(string code)
    {
        var provider = _azure.CreateProvider();
        await provider.CreateTxtAsync(Txt("one"), Cancelled);
        _azure.Stub.MissingZoneCode = code;
        _azure.Stub.Zones.Remove(("rg1", "example.test"));
        _azure.Stub.Zones.Add(("rg3", "example.test"));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.DeleteTxtAsync(Txt("one"), Cancelled));
        Assert.Equal(DnsProviderFault.ZoneNotFound, exception.Fault);
        Assert.Equal(["one"], _azure.Stub.ValuesOf(Key));
        await provider.DeleteTxtAsync(Txt("one"), Cancelled);

        Assert.Empty(_azure.Stub.Sets);
    }

    [Fact]
    public async Task Delete_ZoneDeletedBetweenReadingAndChanging_IsNoSuccess()
    {
        _azure.Stub.Put(Key, 60, ["ours"]);
        _azure.Stub.Meanwhile = _ => _azure.Stub.Zones.Remove(("rg1", "example.test"));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => _azure.CreateProvider().DeleteTxtAsync(Txt("ours"), Cancelled));

        Assert.Equal(DnsProviderFault.ZoneNotFound, exception.Fault);
    }

    [Fact]
    public async Task Delete_NoSuchSet_IsSuccess()
    {
        await _azure.CreateProvider().DeleteTxtAsync(Txt("ours"), Cancelled);

        Assert.Empty(_azure.Stub.Sets);
    }

    [Theory]
    [InlineData(401, DnsProviderFault.Unauthorized, "check ResourceManagerEndpoint, AuthorityHost, TenantId")]
    [InlineData(
        403,
        DnsProviderFault.Unauthorized,
        "the role 'DNS Zone Contributor' on /subscriptions/11111111-2222-3333-4444-555555555555 to the identity;")]
    [InlineData(404, DnsProviderFault.ZoneNotFound, "Compare SubscriptionId, ResourceGroup and ZoneResourceIds")]
    [InlineData(409, DnsProviderFault.Refused, "Is there a lock on")]
    [InlineData(429, DnsProviderFault.RateLimited, "when Azure allows it")]
    [InlineData(500, DnsProviderFault.Unavailable, "KestrelAcme retries automatically.")]
    [InlineData(400, DnsProviderFault.Refused, "Made-up trouble")]
    public async Task Create_Refused_QuotesTheErrorAndSaysWhatToDo(int status, DnsProviderFault fault, string expected)
    {
        _azure.Api.Refusals.Enqueue((status, """{"error":{"code":"MadeUp","message":"Made-up\ntrouble."}}""", "300"));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => _azure.CreateProvider().CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Equal((fault, TimeSpan.FromSeconds(300)), (exception.Fault, exception.RetryAfter));
        Assert.Contains(
            $"{Server} answered {status} for zone example.test: MadeUp: Made-up trouble.", exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Single(_azure.Api.Requests);
    }

    [Fact]
    public async Task Create_ErrorWithoutWrapping_IsQuotedToo()
    {
        _azure.Api.Refusals.Enqueue((400, """{"code":"BadRequest","message":"The record count exceeds 20"}""", null));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => _azure.CreateProvider().CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains("BadRequest: The record count exceeds 20.", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{{"error":{{"code":"Bad","message":"you sent Bearer {0}"}}}}""")]
    [InlineData("<html>Authorization: Bearer {0}</html>")]
    public async Task Create_AnswerRepeatsTheToken_ItIsHidden(string format)
    {
        _azure.Api.Refusals.Enqueue((400, string.Format(null, format, AzureFixture.Token), null));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => _azure.CreateProvider().CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains("Bearer ***", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(AzureFixture.Token, exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_RefusedTokenRequestRepeatsTheClientSecret_ItIsHidden()
    {
        const string Secret = "the secret/of the client";
        var failure = new AuthenticationFailedException(
            $"AADSTS7000215: client_secret={Uri.EscapeDataString(Secret)}", new InvalidOperationException(Secret));
        var provider = _azure.CreateProvider(new StaticCredential("", failure), options =>
        {
            options.TenantId = "11111111-2222-3333-4444-555555555555";
            options.ClientId = "11111111-2222-3333-4444-666666666666";
            options.ClientSecret = Secret;
        });

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains("client_secret=***", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_BusyOnce_IsRetried()
    {
        _azure.Api.Refusals.Enqueue((503, "<html>busy</html>", "1"));

        await _azure.CreateProvider().CreateTxtAsync(Txt("value"), Cancelled);

        Assert.Equal(["value"], _azure.Stub.ValuesOf(Key));
    }

    public static TheoryData<string, Exception, DnsProviderFault> TokenFailures => new()
    {
        {
            "refused",
            new AuthenticationFailedException(
                "ClientSecretCredential authentication failed: AADSTS7000215: Invalid client secret provided."),
            DnsProviderFault.Unauthorized
        },
        {
            "nothing found",
            new CredentialUnavailableException("DefaultAzureCredential failed to retrieve a token from the included credentials."),
            DnsProviderFault.Unavailable
        },
        {
            "no network",
            new AuthenticationFailedException("It failed.", new HttpRequestException("No route to host")),
            DnsProviderFault.Unavailable
        },
    };

    [Theory]
    [MemberData(nameof(TokenFailures), DisableDiscoveryEnumeration = true)]
    public async Task Create_NoToken_QuotesWhy(string why, Exception failure, DnsProviderFault fault)
    {
        Assert.NotEmpty(why);
        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => _azure.CreateProvider(new StaticCredential("", failure)).CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Equal(fault, exception.Fault);
        Assert.StartsWith(
            $"Could not get a token for {Server} to change zone example.test: {failure.Message}",
            exception.Message,
            StringComparison.Ordinal);
        Assert.Empty(_azure.Api.Requests);
    }

    [Fact]
    public async Task Create_AnyCloud_TheTokenIsForItsResourceManager()
    {
        var credential = new StaticCredential(AzureFixture.Token);

        await _azure.CreateProvider(credential).CreateTxtAsync(Txt("value"), Cancelled);

        Assert.Equal($"{_azure.Api.Url}.default", credential.Scope);
    }

    private static DnsTxtRecord Txt(string value, string name = "_acme-challenge.example.test", string zone = "example.test") =>
        new() { Zone = zone, Name = name, ChallengeName = name, Value = value };
}
