using System.Text.Json;
using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>
/// Leases in a folder that hosts share, with file locks that exclude nobody. What a holder that was stopped does next is done here by hand.
/// </summary>
public sealed class SharedFolderTests : IAsyncLifetime
{
    private const string Name = "orders/a";
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly FileSystemFixture _fixture = new() { LocksAreLocal = true };
    private readonly FileSystemStorage _one;
    private readonly FileSystemStorage _other;

    public SharedFolderTests() => (_one, _other) = (_fixture.OpenFileSystem(), _fixture.OpenFileSystem());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Claims => Path.Join(_fixture.Root, "~claims");

    private string Value => Path.Join(_fixture.Root, "a", "b");

    private string Record => Path.Join(_fixture.Root, "~leases", "orders", "a~lease");

    private static ReadOnlyMemory<byte> Old => "old"u8.ToArray();

    private static ReadOnlyMemory<byte> New => "new"u8.ToArray();

    // The sweep that an instance begins with its first write would tidy up what a test leaves lying about. By then, it knows the server's
    // time as well.
    public async ValueTask InitializeAsync()
    {
        foreach (var storage in new[] { _one, _other })
        {
            await storage.WriteAsync("first", New, cancellationToken: Token);
            await storage.Sweep;
        }
    }

    [Fact]
    public async Task Write_StoppedBeforeItsLastStep_DoesNotReplaceTheNextHoldersValue()
    {
        var lease = await AcquireAsync(_one);
        await _one.WriteAsync("a/b", Old, lease, Token);
        using var draft = FileDraft.TryCreate(lease.Claim.Folder, lease.Owner.Id)!;
        draft.Write(Old.Span, durable: true);
        _fixture.Time.Advance(Minute);

        await using var next = await AcquireAsync(_other);
        await _other.WriteAsync("a/b", New, next, Token);

        Assert.False(draft.TryMove(Value, durable: true));
        Assert.Equal(New.ToArray(), (await _other.ReadAsync("a/b", Token))!.Value.ToArray());
    }

    [Fact]
    public async Task Write_StoppedBeforeItsFirstStep_CannotEvenBegin()
    {
        var lease = await AcquireAsync(_one);
        _fixture.Time.Advance(Minute);
        await using var next = await AcquireAsync(_other);
        Assert.Null(FileDraft.TryCreate(lease.Claim.Folder, lease.Owner.Id));
    }

    [Fact]
    public async Task Write_StoppedWhileTheNextHolderBreaksTheClaim_IsInTimeOrRefused()
    {
        var lease = await AcquireAsync(_one);
        _fixture.Time.Advance(Minute);

        // The next holder has got as far as this: nobody has the lease, and the claim is not removed yet.
        File.Move(Path.Join(lease.Claim.Folder, lease.Claim.Stamp), Path.Join(lease.Claim.Folder, "broken"));
        Assert.False(ClaimFolder.TryRenew(lease.Claim, _fixture.Time.GetUtcNow(), Minute));
        Directory.CreateDirectory(Path.GetDirectoryName(Value)!);
        using var late = FileDraft.TryCreate(lease.Claim.Folder, lease.Owner.Id)!;
        using (var draft = FileDraft.TryCreate(lease.Claim.Folder, lease.Owner.Id)!)
        {
            draft.Write(Old.Span, durable: true);
            Assert.True(draft.TryMove(Value, durable: true));
        }

        await using var next = await AcquireAsync(_other);
        Assert.Equal(Old.ToArray(), (await _other.ReadAsync("a/b", Token))!.Value.ToArray());
        late.Write(Old.Span, durable: true);
        Assert.False(late.TryMove(Value, durable: true));
    }

    [Fact]
    public async Task Renew_StoppedUntilTheClaimWasBroken_FailsAndDoesNotBringItBack()
    {
        var lease = await AcquireAsync(_one);
        _fixture.Time.Advance(Minute);
        await using var next = await AcquireAsync(_other);
        Assert.False(ClaimFolder.TryRenew(lease.Claim, _fixture.Time.GetUtcNow(), Minute));
        Assert.Null(await _one.TryAcquireLeaseAsync(Name, Minute, Token));
        Assert.Single(Directory.GetDirectories(Claims));
    }

    [Fact]
    public async Task Break_HolderRenewsInBetween_LeavesTheLeaseAlone()
    {
        await using var lease = await AcquireAsync(_one);
        _fixture.Time.Advance(Minute * 0.8);
        var stale = ClaimFolder.Look(lease.Claim.Folder);
        Assert.True(await lease.RenewAsync(Token));
        Assert.False(File.Exists(Path.Join(lease.Claim.Folder, stale.Stamp)));
        _fixture.Time.Advance(Minute * 0.8);
        Assert.Null(await _other.TryAcquireLeaseAsync(Name, Minute, Token));
        await _one.WriteAsync("a/b", New, lease, Token);
    }

    [Fact]
    public async Task Delete_StoppedPastTheLease_IsRefused()
    {
        var lease = await AcquireAsync(_one);
        _fixture.Time.Advance(Minute);
        await using var next = await AcquireAsync(_other);
        await _other.WriteAsync("a/b", New, next, Token);
        Assert.False(AtomicRename.TryRun(Value, StoragePaths.Temporary(lease.Claim.Folder, lease.Owner.Id)));
        Assert.NotNull(await _other.ReadAsync("a/b", Token));
    }

    [Fact]
    public async Task WriteAsync_ClaimBrokenByAnother_LeaseIsLost()
    {
        await using var lease = await AcquireAsync(_one);
        await _one.WriteAsync("a/b", Old, lease, Token);
        Directory.Delete(lease.Claim.Folder, recursive: true);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await _one.WriteAsync("a/b", New, lease, Token));
        Assert.True(lease.IsOver);
        Assert.Equal(Old.ToArray(), (await _one.ReadAsync("a/b", Token))!.Value.ToArray());
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_AnotherDiedWhileItAsked_WaitsFiveSecondsAtMost()
    {
        await using (await AcquireAsync(_one))
        {
        }

        MakeClaim();
        _fixture.Time.Advance(TimeSpan.FromSeconds(4));
        // The claim with the smaller name waits; the other one gives up at once.
        Assert.Null(await _other.TryAcquireLeaseAsync(Name, Minute, Token));
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await using var lease = await AcquireAsync(_other);
        Assert.Single(Directory.GetDirectories(Claims));
    }

    [Theory]
    [InlineData("broken")]
    [InlineData("broken", "~0123456789abcdef0123456789abcdef-x.tmp")]
    public async Task TryAcquireLeaseAsync_AnotherDiedWhileItRemovedAClaim_FinishesIt(params string[] files)
    {
        await using (await AcquireAsync(_one))
        {
        }

        MakeClaim(files);
        await using var lease = await AcquireAsync(_other);
        Assert.Single(Directory.GetDirectories(Claims));
    }

    [Theory]
    [InlineData("@eaDir")]
    [InlineData(".__smb0001")]
    public async Task TryAcquireLeaseAsync_ClaimThatIsOverHoldsWhatCannotBeDeleted_IsMovedAside(string name)
    {
        await using (await AcquireAsync(_one))
        {
        }

        // A folder of another program, or a file that a client of SMB keeps because it is still open.
        Directory.CreateDirectory(Path.Join(MakeClaim("broken"), name));

        await using var lease = await AcquireAsync(_other);
    }

    [Theory]
    [InlineData("held-")]
    [InlineData("held-1-2")]
    [InlineData("held-99999999999999999999-60000-0")]
    [InlineData("held-9223372036854775807-60000-0")]
    [InlineData("held-1-9999999999-0")]
    [InlineData("held-x-y-z")]
    public async Task TryAcquireLeaseAsync_ClaimWithoutAValidMark_IsRespectedForADay(string file)
    {
        await using (await AcquireAsync(_one))
        {
        }

        var folder = MakeClaim(file);
        Directory.SetLastWriteTimeUtc(folder, _fixture.Time.GetUtcNow().UtcDateTime);
        Assert.Null(await _other.TryAcquireLeaseAsync(Name, Minute, Token));
        _fixture.Time.Advance(StorageLease.MaxDuration);
        await using var lease = await AcquireAsync(_other);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_ServersClockWasSetBack_CountsFromItsFirstLook()
    {
        await using var lease = await AcquireAsync(_one);

        // While the record says that the lease is held, nobody looks at the claims.
        File.Delete(Record);
        var stamp = Path.Join(lease.Claim.Folder, lease.Claim.Stamp);
        var ahead = _fixture.Time.GetUtcNow().AddYears(9).ToUnixTimeMilliseconds();
        File.Move(stamp, Path.Join(lease.Claim.Folder, $"held-{ahead}-60000-0"));
        Assert.Null(await _other.TryAcquireLeaseAsync(Name, Minute, Token));
        _fixture.Time.Advance(Minute / 2);
        Assert.Null(await _other.TryAcquireLeaseAsync(Name, Minute, Token));
        _fixture.Time.Advance(Minute / 2);
        await using var next = await AcquireAsync(_other);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_OwnersLockCanBeTakenOnAnotherMount_DoesNotCountAsDead()
    {
        await using var lease = await AcquireAsync(_one);
        Assert.True(lease.Owner.LocksWork);
        Assert.NotEqual(lease.Owner.Domain, (await AcquireAsync(_other, "orders/b")).Owner.Domain);
        Assert.Null(await _other.TryAcquireLeaseAsync(Name, Minute, Token));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_HeldByAnEarlierVersion_IsRespected()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Record)!);
        await File.WriteAllTextAsync(
            Record,
            $$"""
            {"owner":"0123456789abcdef0123456789abcdef","fencingNumber":1995262400000,"durationSeconds":60,"machine":"other",
            "expires":"{{_fixture.Time.GetUtcNow() + Minute:O}}","host":"h","processId":1}
            """,
            Token);
        Assert.Null(await _one.TryAcquireLeaseAsync(Name, Minute, Token));
        Assert.Empty(Directory.GetDirectories(Claims));
        _fixture.Time.Advance(Minute + LeasePolicy.ClockTolerance);
        await using var lease = await AcquireAsync(_one);
        Assert.Equal(1995262400001, lease.FencingNumber);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_EarlierVersionLooksOn_SeesTheRecordAndTheNumber()
    {
        var lease = await AcquireAsync(_one);
        var held = await RecordAsync();
        Assert.Equal(lease.Owner.Id, held.GetProperty("owner").GetString());
        Assert.Equal(lease.FencingNumber, held.GetProperty("fencingNumber").GetInt64());
        Assert.Equal(_fixture.Time.GetUtcNow() + Minute, held.GetProperty("expires").GetDateTimeOffset());
        Assert.NotEqual(MachineIdentity.Current, held.GetProperty("machine").GetString());
        Assert.Equal(
            $"{lease.FencingNumber:D19}\n",
            await File.ReadAllTextAsync(Record.Replace("a~lease", "a~lock", StringComparison.Ordinal), Token));

        await lease.DisposeAsync();
        Assert.False((await RecordAsync()).TryGetProperty("owner", out var owner) && owner.ValueKind != JsonValueKind.Null);
        Assert.Empty(Directory.GetDirectories(Claims));
    }

    [Fact]
    public async Task WriteAsync_EarlierVersionTookTheLeaseSince_IsRefused()
    {
        await using var lease = await AcquireAsync(_one);
        await File.WriteAllTextAsync(
            Record,
            $$"""{"owner":"0123456789abcdef0123456789abcdef","fencingNumber":{{lease.FencingNumber + 1}},"durationSeconds":60}""",
            Token);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await _one.WriteAsync("a/b", Old, lease, Token));
        Assert.False(await lease.RenewAsync(Token));
    }

    [Fact]
    public async Task WriteAsync_FolderOnAnotherVolume_WritesAndDeletes()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "There is no second volume.");
        var elsewhere = Directory.CreateDirectory($"/dev/shm/kestrel-acme-{Guid.NewGuid():n}").FullName;
        try
        {
            await using var lease = await AcquireAsync(_one);
            Directory.CreateSymbolicLink(Path.Join(_fixture.Root, "a"), elsewhere);
            await _one.WriteAsync("a/b", New, lease, Token);
            Assert.Equal(New.ToArray(), await File.ReadAllBytesAsync(Path.Join(elsewhere, "b"), Token));
            Assert.True(await _one.DeleteAsync("a/b", lease, Token));
            Assert.Empty(Directory.GetFileSystemEntries(elsewhere));
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [Fact]
    public async Task FirstWrite_ClaimsOfLongAgo_AreSwept()
    {
        var lease = await AcquireAsync(_one);
        var current = await AcquireAsync(_one, "orders/b");
        _fixture.Time.Advance(Minute + StorageLease.MaxDuration);
        await using var later = await AcquireAsync(_one, "orders/c");
        var third = _fixture.OpenFileSystem(clockOffset: TimeSpan.FromDays(400));
        await third.WriteAsync("x", New, cancellationToken: Token);
        await third.Sweep;
        Assert.Equal([later.Claim.Folder], Directory.GetDirectories(Claims));
        await lease.DisposeAsync();
        await current.DisposeAsync();
    }

    [Fact]
    public async Task FirstWrite_ClockAYearAhead_LeavesFilesThatAreBeingWritten()
    {
        await using var lease = await AcquireAsync(_one);
        using var draft = FileDraft.TryCreate(lease.Claim.Folder, lease.Owner.Id)!;
        File.SetLastWriteTimeUtc(draft.Path, _fixture.Time.GetUtcNow().UtcDateTime);
        var other = _fixture.OpenFileSystem(clockOffset: TimeSpan.FromDays(365));
        await other.WriteAsync("x", New, cancellationToken: Token);
        await other.Sweep;
        Assert.True(File.Exists(draft.Path));
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    private static async Task<FileSystemLease> AcquireAsync(FileSystemStorage storage, string name = Name)
    {
        var lease = await storage.TryAcquireLeaseAsync(name, Minute, Token);
        Assert.NotNull(lease);
        return (FileSystemLease)lease;
    }

    private string MakeClaim(params string[] files)
    {
        // The smallest name of an owner: it never gives way to one that asks.
        var folder = new StoragePaths(_fixture.Root).NewClaim(Name, "00000000000000000000000000000000");
        Directory.CreateDirectory(folder);
        Array.ForEach(files, file => File.WriteAllText(Path.Join(folder, file), ""));
        Directory.SetLastWriteTimeUtc(folder, _fixture.Time.GetUtcNow().UtcDateTime);
        return folder;
    }

    private async Task<JsonElement> RecordAsync()
        => JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(Record, Token));
}
