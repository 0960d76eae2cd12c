namespace KestrelAcme.Scaffold;
public class Tmp { [Xunit.Fact] public void A() => Xunit.Assert.True(true); }
