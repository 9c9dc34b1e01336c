package greeting;

/** Ends with an error where a greeting is not what it should be. */
public final class Check {
  private Check() {}

  public static void main(String[] arguments) {
    String greeting = Greeting.of("world");
    if (!greeting.equals("Hello, world")) throw new AssertionError(greeting);
    System.out.println(greeting);
  }
}
