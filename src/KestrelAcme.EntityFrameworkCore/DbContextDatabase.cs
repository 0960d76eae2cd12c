using System.Data;
using System.Data.Common;
using KestrelAcme.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.EntityFrameworkCore;

/// <summary>
/// Runs work with a context of its own, repeats what failed for a reason that has passed, and turns every other failure into
/// <see cref="StorageUnavailableException"/>.
/// </summary>
/// <remarks>Work that is passed to it must be safe to repeat: the database may have done it although its response was lost.</remarks>
internal sealed class DbContextDatabase(
    string name,
    IServiceScopeFactory scopes,
    Func<IServiceProvider, CancellationToken, ValueTask<DbContext>> create)
{
    private const int MaxConflicts = 6;
    private static readonly TimeSpan ConflictPause = TimeSpan.FromMilliseconds(20);

    private static readonly string[] ConflictStates = ["40001", "40P01"];

    // The counter lets only one transaction write at a time anyway, and SQLite waits for a lock by trying again.
    private readonly SemaphoreSlim _writing = new(1);

    /// <summary>The database, for operators. Known after the first operation.</summary>
    public string Place { get; private set; } = DbContextFailures.PlaceOf(name, null);

    /// <summary>Does some work with a context.</summary>
    /// <param name="what">What it does, for the message of a failure: "reading 'a/b'".</param>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">It failed.</exception>
    public async Task<T> RunAsync<T>(string what, Func<DbContext, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            DbContext? context = null;
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                context = await create(scope.ServiceProvider, cancellationToken);
                await using var _ = context;
                Place = DbContextFailures.PlaceOf(name, context);
                if (context.Model.FindEntityType(typeof(AcmeHttpsEntry)) is null)
                {
                    throw new MissingModelException();
                }

                try
                {
                    return await RunAsync(context, work, cancellationToken);
                }
                catch (Exception exception) when (exception is not LeaseLostException)
                {
                    // Described while the context is alive.
                    cancellationToken.ThrowIfCancellationRequested();
                    if (attempt == MaxConflicts || !IsConflict(exception))
                    {
                        throw DbContextFailures.Describe(name, context, what, exception);
                    }
                }
            }
            catch (Exception exception) when (exception is not LeaseLostException and not StorageUnavailableException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw DbContextFailures.Describe(name, exception is MissingModelException ? context : null, what, exception);
            }

            // At once at first: the row that could not be inserted is there now. The others run on the real clock, whatever the app's is.
            var pause = ConflictPause * Random.Shared.NextDouble() * Math.Max(0, attempt - 2);
            await Task.Delay(pause, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>
    /// Does some work in a transaction, which is committed if the work returns <see langword="true"/> as its first result.
    /// </summary>
    /// <inheritdoc cref="RunAsync{T}(string, Func{DbContext, CancellationToken, Task{T}}, CancellationToken)"/>
    public async Task<T> RunInTransactionAsync<T>(
        string what, Func<DbContext, CancellationToken, Task<(bool Commit, T Result)>> work, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            return await RunAsync(
                what,
                async (context, token) =>
                {
                    // What the store does is right at this level and at every higher one.
                    await using var transaction = await context.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted, token);
                    var (commit, result) = await work(context, token);
                    await (commit ? transaction.CommitAsync(token) : transaction.RollbackAsync(token));
                    return result;
                },
                cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    // The app's own strategy may repeat the work, with the same context.
    private static Task<T> RunAsync<T>(
        DbContext context, Func<DbContext, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
        => context.Database.CreateExecutionStrategy().ExecuteAsync(
            (context, work),
            static (state, token) =>
            {
                state.context.ChangeTracker.Clear();
                return state.work(state.context, token);
            },
            cancellationToken);

    // An insertion fails if another instance has inserted the same row; then there is something to update. If it failed for
    // another reason, it fails again.
    private static bool IsConflict(Exception exception)
        => exception is DbUpdateException
            || (exception as DbException ?? exception.InnerException as DbException) is { } failure
                && (failure.IsTransient || ConflictStates.Contains(failure.SqlState));
}
